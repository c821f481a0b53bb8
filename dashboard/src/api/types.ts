import type { components } from './schema'

type Schemas = components['schemas']

export type AboutReason = Schemas['ReasonAnswer']
export type CheckInput = Schemas['CheckInput']
export type Failure = Schemas['FailureAnswer']
export type FailureDay = Schemas['FailureDayAnswer']
export type Found = Schemas['FoundAnswer']
export type History = Schemas['HistoryAnswer']
export type Kind = Schemas['KindAnswer']
export type Monitoring = Schemas['MonitoringAnswer']
export type Overview = Schemas['Overview']
export type OverviewRow = Schemas['OverviewRow']
export type Result = Schemas['ResultAnswer']
export type Role = Schemas['Role']
export type SavedTarget = Schemas['NewTargetAnswer']
export type Session = Schemas['SessionAnswer']
export type Stage = Schemas['Stage']
export type StageResult = Schemas['StageAnswer']
export type StageStatus = Schemas['StageStatus']
export type Status = Schemas['Status']
export type Summary = Schemas['Summary']
export type Target = Schemas['TargetAnswer']
export type TargetInput = Schemas['TargetInput']
export type TargetPatch = Schemas['TargetPatch']
export type Token = Schemas['TokenAnswer']
export type Transition = Schemas['TransitionAnswer']
export type Trigger = Schemas['Trigger']

/** What a list shows: a status, or paused, which is no status of the target's health. */
export type Shown = Status | 'paused'
