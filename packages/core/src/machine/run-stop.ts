// Why a run of a machine ends.
import type { Emission } from '../event/emission.js';
import type { Outcome } from '../event/outcome.js';

/** Why a run ended. */
export type RunStop =
  /** As many steps as were asked for. */
  | { readonly reason: 'budget' }
  /** Every processor waits for an input that nobody will send. */
  | { readonly reason: 'waiting' }
  | { readonly reason: 'shutdown'; readonly processor: number; readonly outcome: Outcome }
  /** A device asked for the end, with the value that the guest reported. */
  | { readonly reason: 'exit'; readonly value: number }
  /** The guest asked a device to reset the machine, which is left as it is: who runs it decides what comes next. */
  | { readonly reason: 'reset'; readonly device: string }
  /** The guest asked a device to switch the machine off. */
  | { readonly reason: 'power-off'; readonly device: string };

/** What the guest asked for with an emission: undefined for one that asks for nothing. */
export function requestedStop(emission: Emission): RunStop | undefined {
  switch (emission.type) {
    case 'machine/exitRequested':
      return { reason: 'exit', value: emission.value };
    case 'machine/resetRequested':
      return { reason: 'reset', device: emission.device };
    case 'machine/powerOffRequested':
      return { reason: 'power-off', device: emission.device };
    case 'console/byteWritten':
      return undefined;
  }
}
