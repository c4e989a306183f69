// SDM, "Guest/Host Masks and Read Shadows for CR0 and CR4", "MOV to CR8" and "Restrictions on VMX Operation": what a guest reads of a
// control register, and what its writes leave as it is.
import { type ControlRegisterAccess, type Cpu, CR0, GP, isInGuestMode, raise } from '@retrovisor/core';
import { Primary, Secondary } from '../controls.js';
import { FIXED_BIT_RULES, fixedBitsViolated, refuseFixedBits } from '../cr-fixed.js';
import { guestValue, guestWord, isOn } from './controls-in-use.js';
import { pendExit } from './pending-exits.js';

const UNRESTRICTED = (1n << BigInt(CR0.bits.PE)) | (1n << BigInt(CR0.bits.PG));
/** Offset of the virtual TPR in the virtual-APIC page. */
const VTPR = 0x80n;
const MASKED = { CR0: ['cr0Mask', 'cr0Shadow'], CR4: ['cr4Mask', 'cr4Shadow'] } as const;

/** Intercept: another value is read or written where the guest does not own all bits. */
export function accessControlRegister(cpu: Cpu, access: ControlRegisterAccess): bigint | undefined {
  if (!isInGuestMode(cpu)) {
    refuseFixedBits(cpu, access);
    return undefined;
  }
  const { register, write, value } = access;
  if (register === 'CR8') return isOn(cpu, Primary['use TPR shadow']) ? accessTpr(cpu, write, value) : undefined;
  if (register !== 'CR0' && register !== 'CR4') return undefined;
  const [mask, shadow] = MASKED[register].map((name) => guestValue(cpu, name)) as [bigint, bigint];
  if (!write) return (value & ~mask) | (shadow & mask);
  const merged = (value & ~mask) | (cpu.read(register) & mask);
  const exempt = register === 'CR0' && isOn(cpu, Secondary['unrestricted guest']) ? UNRESTRICTED : 0n;
  if ((fixedBitsViolated(cpu, register, merged) & ~exempt) !== 0n) raise(GP(0), FIXED_BIT_RULES[register]);
  return merged;
}

/** CR8 is bits 7:4 of VTPR; the register itself stays. */
function accessTpr(cpu: Cpu, write: boolean, value: bigint): bigint {
  const address = guestValue(cpu, 'virtualApicPage') + VTPR;
  if (!write) return (cpu.memory.read(address, 4) >> 4n) & 0xfn;
  cpu.memory.write(address, 4, value << 4n);
  if (Number(value) < (guestWord(cpu, 'tprThreshold') & 0xf) && !isOn(cpu, Secondary['virtual-interrupt delivery']))
    pendExit(cpu, 'TPR below threshold');
  return cpu.CR8;
}
