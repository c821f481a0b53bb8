import { IconBulb } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'

import { useApi } from '#/api/context'
import type { Finding, Pool, PoolAlert, Severity } from '#/api/types'
import { Section } from '#/components/target/Section'
import { count } from '#/lib/format'
import { alertsOf, RULE_WORD, STANDING_STATUS, STANDING_WORD } from '#/lib/pools'
import { Held } from '#/ui/Held'
import { Help } from '#/ui/Help'
import { Parts } from '#/ui/Parts'
import { StatusIcon } from '#/ui/StatusBadge'

import classes from './pool.module.css'
import { findingsQuery } from './queries'

/** What is wrong with a pool, then what else is worth knowing, each with what to do. */
export function Findings({ pool }: { pool: Pool }) {
  const found = useQuery(findingsQuery(useApi(), pool.id)).data ?? []
  // What alerts tell is there too, without its time.
  const others = found.filter(({ code }) => !Object.hasOwn(RULE_WORD, code))
  const alerts = alertsOf(pool)
  if (alerts.length + others.length === 0) return null
  const wrong = alerts.length > 0 || others.some(({ severity }) => severity !== null)
  return (
    <Section title={wrong ? 'What is wrong' : 'Worth knowing'}>
      <ul className={classes.list}>
        {alerts.map((alert) => (
          <AlertRow key={alert.rule} alert={alert} />
        ))}
        {others.map((finding) => (
          <Advice key={`${finding.code} ${finding.message}`} finding={finding} />
        ))}
      </ul>
    </Section>
  )
}

interface RowProps {
  severity: Severity | null
  message: string
  recommendation: string
  children?: ReactNode
}

function Row({ severity, message, recommendation, children }: RowProps) {
  return (
    <li className={classes.finding}>
      {severity === null ? (
        <IconBulb size={18} className={classes.lightbulb} aria-hidden="true" />
      ) : (
        <StatusIcon status={STANDING_STATUS[severity]} size={18} />
      )}
      <div>
        <div className={classes.message}>{message}</div>
        <div className={classes.advice}>
          <Help text={recommendation} />
        </div>
        <div className={classes.about}>
          <Parts>
            <span>{severity === null ? 'Advice' : STANDING_WORD[severity]}</span>
            {children}
          </Parts>
        </div>
      </div>
    </li>
  )
}

function AlertRow({ alert }: { alert: PoolAlert }) {
  const { rule, severity, message, recommendation, since, suppressed } = alert
  return (
    <Row severity={severity} message={message} recommendation={recommendation}>
      <span>{RULE_WORD[rule]}</span>
      <Held since={since} />
      {suppressed > 0 && <span>came {count(suppressed)} more times before it was told again</span>}
    </Row>
  )
}

const Advice = ({ finding }: { finding: Finding }) => <Row {...finding} />
