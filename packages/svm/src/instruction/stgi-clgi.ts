// STGI and CLGI: the global interrupt flag. Nothing that GIF holds back (INTR, NMI, SMI, INIT) reaches a processor yet, so
// that STGI has nothing to deliver.
import { apm, defineInstruction, defineRules } from '@retrovisor/core';
import { privileged, protectedMode, svmEnabled, svmEnabledOrSkinit } from '../checks/instruction-conditions.js';
import { setGif } from '../svm-processor.js';

const CONDITIONS = ['IA32_EFER.SVME', 'CR0.PE', 'RFLAGS.VM', 'SS.attributes'];

export const STGI = defineInstruction({
  mnemonic: 'STGI',
  manual: apm('STGI Set Global Interrupt Flag'),
  reads: CONDITIONS,
  writes: [], // GIF, which lies in the slice
  flags: 'unaffected',
  checks: defineRules(apm('STGI Set Global Interrupt Flag'), { kind: 'fault', vector: '#UD' }, [
    svmEnabledOrSkinit('STGI'),
    protectedMode('STGI'),
    privileged('STGI'),
  ]),
  intrinsics: { stgi: { operands: [] } },
  effect: (cpu) => setGif(cpu, true),
});

export const CLGI = defineInstruction({
  mnemonic: 'CLGI',
  manual: apm('CLGI Clear Global Interrupt Flag'),
  reads: CONDITIONS,
  writes: [],
  flags: 'unaffected',
  checks: defineRules(apm('CLGI Clear Global Interrupt Flag'), { kind: 'fault', vector: '#UD' }, [
    svmEnabled('CLGI'),
    protectedMode('CLGI'),
    privileged('CLGI'),
  ]),
  intrinsics: { clgi: { operands: [] } },
  effect: (cpu) => setGif(cpu, false),
});
