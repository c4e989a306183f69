// VMMCALL, INVLPGA and SKINIT. VMMCALL does nothing but be intercepted. Translations are never kept longer than their tables
// say, so that INVLPGA has little to do. SKINIT needs a platform with a TPM, which is not modelled.
import { apm, defineInstruction, defineRules, NotModelled, raise, UD } from '@retrovisor/core';
import { privileged, protectedMode, svmEnabled, svmEnabledOrSkinit } from '../checks/instruction-conditions.js';

const CONDITIONS = ['IA32_EFER.SVME', 'CR0.PE', 'RFLAGS.VM', 'SS.attributes'];

export const VMMCALL_NOT_INTERCEPTED = 'svm.vmmcall.not-intercepted';

export const VMMCALL = defineInstruction({
  mnemonic: 'VMMCALL',
  manual: apm('VMMCALL Call VMM'),
  reads: ['IA32_EFER.SVME'],
  writes: [],
  flags: 'unaffected',
  checks: defineRules(apm('VMMCALL Call VMM'), UD, [svmEnabled('VMMCALL')]),
  intrinsics: { vmmcall: { operands: [] } },
  effect: () => raise(UD, VMMCALL_NOT_INTERCEPTED),
});

export const INVLPGA = defineInstruction({
  mnemonic: 'INVLPGA',
  manual: apm('INVLPGA Invalidate TLB Entry in a Specified ASID'),
  reads: [...CONDITIONS, 'RAX', 'RCX'],
  writes: [],
  flags: 'unaffected',
  checks: defineRules(apm('INVLPGA Invalidate TLB Entry in a Specified ASID'), UD, [
    svmEnabled('INVLPGA'),
    protectedMode('INVLPGA'),
    privileged('INVLPGA'),
  ]),
  intrinsics: { invlpga: { operands: [], registers: ['RAX', 'RCX'] } },
  effect: (cpu) => cpu.draft.flushTlb(), // whatever ASID is named: no translation is told apart by one
});

export const SKINIT = defineInstruction({
  mnemonic: 'SKINIT',
  manual: apm('SKINIT Secure Init and Jump with Attestation'),
  reads: [...CONDITIONS, 'RAX'],
  writes: [],
  flags: 'unaffected',
  checks: defineRules(apm('SKINIT Secure Init and Jump with Attestation'), UD, [
    svmEnabledOrSkinit('SKINIT'),
    protectedMode('SKINIT'),
    privileged('SKINIT'),
  ]),
  intrinsics: { skinit: { operands: [], registers: ['RAX'] } },
  effect: () => {
    throw new NotModelled('secure initialization (SKINIT): there is no TPM that could measure the loader');
  },
});
