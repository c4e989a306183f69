// STGI and CLGI: the global interrupt flag. In a guest with a GIF of its own (V_GIF) they set and clear that one.
import { apm, type Cpu, defineInstruction, defineRules, isInGuestMode } from '@retrovisor/core';
import { privileged, protectedMode, svmEnabled, svmEnabledOrSkinit } from '../checks/instruction-conditions.js';
import { setGif } from '../processor-registers.js';
import { hasVirtual, setVirtual, V } from '../virtual-interrupts.js';

const CONDITIONS = ['IA32_EFER.SVME', 'CR0.PE', 'RFLAGS.VM', 'SS.attributes'];

function writeGif(cpu: Cpu, gif: boolean): void {
  if (isInGuestMode(cpu) && hasVirtual(cpu, V.GIF_ENABLE)) setVirtual(cpu, V.GIF, gif);
  else setGif(cpu, gif);
}

export const STGI = defineInstruction({
  mnemonic: 'STGI',
  manual: apm('STGI Set Global Interrupt Flag'),
  reads: CONDITIONS,
  writes: ['svm.GIF', 'svm.VIRTUAL_INTERRUPT'],
  flags: 'unaffected',
  checks: defineRules(apm('STGI Set Global Interrupt Flag'), { kind: 'fault', vector: '#UD' }, [
    svmEnabledOrSkinit('STGI'),
    protectedMode('STGI'),
    privileged('STGI'),
  ]),
  intrinsics: { stgi: { operands: [] } },
  effect: (cpu) => writeGif(cpu, true),
});

export const CLGI = defineInstruction({
  mnemonic: 'CLGI',
  manual: apm('CLGI Clear Global Interrupt Flag'),
  reads: CONDITIONS,
  writes: ['svm.GIF', 'svm.VIRTUAL_INTERRUPT'],
  flags: 'unaffected',
  checks: defineRules(apm('CLGI Clear Global Interrupt Flag'), { kind: 'fault', vector: '#UD' }, [
    svmEnabled('CLGI'),
    protectedMode('CLGI'),
    privileged('CLGI'),
  ]),
  intrinsics: { clgi: { operands: [] } },
  effect: (cpu) => writeGif(cpu, false),
});
