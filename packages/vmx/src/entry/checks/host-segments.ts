// Checks on the host-state area (SDM, "Checks on Host Segment and Descriptor-Table Registers"), in the manual's order.
import { sdm } from '@retrovisor/core';
import { Exit } from '../../controls.js';
import { type FieldName, fieldNamed } from '../../fields.js';
import { defineEntryChecks, type EntryCheckRow, INVALID_HOST_STATE } from './entry-check.js';
import { canonicalFields } from './msr-field.js';

const id = (check: string) => `vmx.entry.host.${check}` as const;

const SELECTORS = (['ES', 'CS', 'SS', 'DS', 'FS', 'GS', 'TR'] as const).map(
  (register): FieldName => `Host ${register} selector`,
);
const SELECTOR_FIELDS = SELECTORS.map((name) => fieldNamed(name));
/** RPL and TI. */
const LOW_BITS = 7;

const notNull = (register: 'CS' | 'TR'): EntryCheckRow => {
  const field = fieldNamed(`Host ${register} selector`);
  return {
    id: id(`${register.toLowerCase()}-nonzero`),
    reads: [`Host ${register} selector`],
    holds: (state) => state.word(field) !== 0,
    explain: `The host ${register} selector must not be 0000H: an exit loads ${register} from it.`,
  };
};

const SS = fieldNamed('Host SS selector');

export const hostSegmentChecks = defineEntryChecks(
  sdm('Checks on Host Segment and Descriptor-Table Registers'),
  INVALID_HOST_STATE,
  [
    {
      id: id('sel-rpl-ti'),
      reads: SELECTORS,
      holds: (state) => SELECTOR_FIELDS.every((field) => (state.word(field) & LOW_BITS) === 0),
      explain:
        'RPL and TI, bits 2:0, must be 0 in every host selector: a host runs with CPL 0 and segments of the GDT.',
    },
    notNull('CS'),
    notNull('TR'),
    {
      id: id('ss-nonzero'),
      reads: [Exit['host address-space size'], 'Host SS selector'],
      appliesWhen: (state) => !state.control(Exit['host address-space size']),
      holds: (state) => state.word(SS) !== 0,
      explain:
        'The host SS selector may be 0000H in 64-bit mode only: set "host address-space size" or give it a segment.',
    },
    canonicalFields(id('bases-canonical'), [
      'Host FS base',
      'Host GS base',
      'Host GDTR base',
      'Host IDTR base',
      'Host TR base',
    ]),
  ],
);
