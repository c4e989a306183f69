// The machines that come with this package, and how a name finds one.
import { UsageError } from '@retrovisor/core';
import type { MachineDescription } from '../machine-description.js';
import { EPYC_NPS4 } from './epyc-nps4.js';
import { OPTERON_8N } from './opteron-8n.js';
import { XEON_8269CY } from './xeon-platinum-8269cy.js';
import { XEON_8360Y } from './xeon-platinum-8360y.js';

/** Every machine, by vendor, newest first. */
export const MACHINES: readonly MachineDescription[] = [XEON_8360Y, XEON_8269CY, EPYC_NPS4, OPTERON_8N];

/**
 * The machine of that name.
 *
 * @throws UsageError `UNKNOWN_MACHINE`, with the names that would be accepted
 * @example findMachine('xeon-platinum-8360y').nodes.length // 2
 */
export function findMachine(name: string): MachineDescription {
  const found = MACHINES.find((machine) => machine.name === name);
  if (found !== undefined) return found;
  const accepted = MACHINES.map((machine) => machine.name);
  throw new UsageError(
    'UNKNOWN_MACHINE',
    { name, accepted },
    `no machine is named "${name}"; there are ${accepted.join(', ')}`,
  );
}
