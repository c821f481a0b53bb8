import { FailureCard, type FailureCardProps } from '#/ui/FailureCard'

import { useReason } from './useReasons'

/** Why a check failed, with what the API says of its reason. */
export function Why(props: Omit<FailureCardProps, 'about'>) {
  return <FailureCard {...props} about={useReason(props.failure.reason)} />
}
