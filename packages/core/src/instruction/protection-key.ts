// SDM, "RDPKRU—Read Protection Key Rights for User Pages", "WRPKRU—Write Data to User Page Key Register". What the rights do
// is in memory/paging.ts.
import { GP, UD } from '../interrupt/exceptions.js';
import { sdm } from '../manual/sdm.js';
import type { Cpu } from '../state/cpu.js';
import { defineInstruction, type FaultRow } from './define.js';

const LOW_HALF = 0xffff_ffffn;

const enabled = (mnemonic: string): FaultRow => ({
  id: `core.${mnemonic.toLowerCase()}.pke`,
  fields: ['CR4.PKE'],
  when: (cpu) => !cpu.CR4.PKE,
  raise: UD,
  explain: `${mnemonic} needs CR4.PKE.`,
});

const zero = (mnemonic: string, register: 'RCX' | 'RDX', name: string): FaultRow => ({
  id: `core.${mnemonic.toLowerCase()}.${name.toLowerCase()}`,
  fields: [register],
  when: (cpu) => (cpu[register] & LOW_HALF) !== 0n,
  raise: GP(0),
  explain: `${name} must be 0.`,
});

export const RDPKRU = defineInstruction({
  mnemonic: 'RDPKRU',
  manual: sdm('RDPKRU—Read Protection Key Rights for User Pages'),
  reads: ['PKRU', 'RCX', 'CR4.PKE'],
  writes: ['RAX', 'RDX'],
  flags: 'unaffected',
  faults: [enabled('RDPKRU'), zero('RDPKRU', 'RCX', 'ECX')],
  intrinsics: { rdpkru: { operands: [], registers: ['RCX'], result: (cpu: Cpu) => cpu.RAX } },
  effect(cpu) {
    cpu.RAX = cpu.read('PKRU'); // the high halves are cleared
    cpu.RDX = 0n;
  },
});

export const WRPKRU = defineInstruction({
  mnemonic: 'WRPKRU',
  manual: sdm('WRPKRU—Write Data to User Page Key Register'),
  reads: ['RAX', 'RCX', 'RDX', 'CR4.PKE'],
  writes: ['PKRU'],
  flags: 'unaffected',
  faults: [enabled('WRPKRU'), zero('WRPKRU', 'RCX', 'ECX'), zero('WRPKRU', 'RDX', 'EDX')],
  intrinsics: { wrpkru: { operands: [], registers: ['RAX', 'RCX', 'RDX'] } },
  effect: (cpu) => cpu.set('PKRU', cpu.RAX & LOW_HALF),
});
