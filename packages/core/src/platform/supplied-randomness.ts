// Random numbers from outside: what RDRAND and RDSEED return is an input of the log, first come, first served. When none
// waits, the generator of the machine goes on (instruction/random-number.ts).
import { u8, u64List } from '../event/codec.js';
import { defineEvent } from '../event/define.js';
import { definePlugin, type Plugin } from '../plugin/define.js';
import { defineSlice } from '../plugin/slice.js';
import type { Cpu } from '../state/cpu.js';

const PLUGIN = 'supplied-randomness';
const waiting = defineSlice(PLUGIN, { version: 1, initial: (): { numbers: bigint[] } => ({ numbers: [] }) });

/** Numbers that the next RDRAND and RDSEED of a processor return, 64 bits each; a narrower operand takes the low bits. */
export const randomSupplied = defineEvent('processor/randomSupplied', {
  payload: { processor: u8, numbers: u64List },
  apply(draft, { processor, numbers }) {
    if (processor < draft.processorCount)
      waiting.change(draft.cpu(processor), (slice) => void slice.numbers.push(...numbers));
  },
});

function next(cpu: Cpu): bigint | undefined {
  const [number] = waiting.of(cpu).numbers;
  if (number !== undefined) waiting.change(cpu, (slice) => void slice.numbers.shift());
  return number;
}

/**
 * Lets events say what RDRAND and RDSEED return.
 * @example createMachine({ profile: 'intel-server', plugins: [suppliedRandomness] });
 */
export const suppliedRandomness: Plugin = definePlugin({
  name: PLUGIN,
  version: '1.0.0',
  apiVersion: 1,
  processorSlice: waiting,
  events: [randomSupplied],
  intercepts: { randomNumber: next },
});
