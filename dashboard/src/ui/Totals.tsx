import classes from './Totals.module.css'

/** What a time comes to: a few numbers, each above its name. */
export const Totals = ({ shown }: { shown: readonly (readonly [string, string])[] }) => (
  <dl className={classes.totals}>
    {shown.map(([name, value]) => (
      <div key={name}>
        <dt>{name}</dt>
        <dd>{value}</dd>
      </div>
    ))}
  </dl>
)
