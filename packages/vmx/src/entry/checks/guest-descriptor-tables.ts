// Checks on GDTR and IDTR of the guest (SDM, "Checks on Guest Descriptor-Table Registers"), in the manual's order.
import { sdm } from '@retrovisor/core';
import { fieldNamed } from '../../fields.js';
import { defineEntryChecks, INVALID_GUEST_STATE } from './entry-check.js';
import { canonicalFields } from './msr-field.js';

const LIMITS = [fieldNamed('Guest GDTR limit'), fieldNamed('Guest IDTR limit')] as const;

export const guestDescriptorTableChecks = defineEntryChecks(
  sdm('Checks on Guest Descriptor-Table Registers'),
  INVALID_GUEST_STATE,
  [
    canonicalFields('vmx.entry.guest.gdtr-idtr.base', ['Guest GDTR base', 'Guest IDTR base']),
    {
      id: 'vmx.entry.guest.gdtr-idtr.limit',
      reads: ['Guest GDTR limit', 'Guest IDTR limit'],
      holds: (state) => LIMITS.every((field) => state.word(field) <= 0xffff),
      explain: 'The limits of the guest GDTR and IDTR have 16 bits: bits 31:16 of the fields must be 0.',
    },
  ],
);
