import { queryOptions, useQuery } from '@tanstack/react-query'

import { type Api, apiUrl } from '#/api/client'
import { useApi } from '#/api/context'
import { kindsQuery } from '#/api/queries'
import type { Kind } from '#/api/types'
import type { Schema } from '#/lib/schema'

interface Document {
  components: { schemas: { TargetInput: { properties: Schema } } }
}

/** What every target has, whatever its kind: the API's own document says it. */
const commonQuery = (api: Api) =>
  queryOptions({
    queryKey: ['common keys'],
    queryFn: async ({ signal }): Promise<Schema> => {
      const answer = await api.fetch(new Request(apiUrl('/openapi.json'), { signal }))
      const { TargetInput } = ((await answer.json()) as Document).components.schemas
      const { url: _, found: __, kind: ___, ...properties } = TargetInput.properties
      return { ...TargetInput, properties }
    },
    staleTime: Infinity,
  })

/** The kinds, and the schema of what every target has. */
export function useKinds() {
  const api = useApi()
  const kinds = useQuery(kindsQuery(api))
  const common = useQuery(commonQuery(api))
  const items = kinds.data as readonly Kind[] | undefined
  const { data: schema } = common
  return {
    data: items !== undefined && schema !== undefined ? { items, common: schema } : undefined,
    error: kinds.error ?? common.error,
    isFetching: kinds.isFetching || common.isFetching,
    refetch: () => Promise.all([kinds.refetch(), common.refetch()]),
  }
}
