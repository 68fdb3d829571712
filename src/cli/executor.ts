import { type Executor, inline } from '../estimators/executor.ts'
import { bullmq } from '../sweeps/bullmq.ts'
import { threads } from '../sweeps/threads.ts'
import { remark } from './terminal.ts'

/** The executor that `--executor` names. */
export function executorNamed(name: string): Executor {
  if (/^rediss?:/.test(name)) return bullmq({ redis: name, onNotice: remark })
  const [kind, count] = name.split(':')
  return kind === 'inline' ? inline() : threads(count ? { count: Number(count) } : {})
}
