// Machines that tests start from: in 64-bit mode, with code where RIP points.
import { longMode, rawImage } from '../../src/boot/boot-image.js';
import { createMachine, type Machine } from '../../src/machine/machine.js';
import { definePlugin, type Plugin } from '../../src/plugin/define.js';
import type { MachineOptions } from '../../src/plugin/host.js';

/** Where test code lies. */
export const CODE = 0x10_0000;

/** A machine in 64-bit mode that runs the bytes. */
export function machineWith(code: readonly number[] | Uint8Array, options: Partial<MachineOptions> = {}): Machine {
  return createMachine({
    profile: 'intel-server',
    memory: 16 * 2 ** 20,
    boot: rawImage({ bytes: Uint8Array.from(code), mode: 'long', load: CODE }),
    ...options,
  });
}

/** A machine in 64-bit mode without code, for intrinsics. */
export function bootedMachine<const Plugins extends readonly Plugin[] = readonly []>(
  options: Partial<MachineOptions<Plugins>> = {},
): Machine<Plugins> {
  return createMachine<Plugins>({ profile: 'intel-server', memory: 16 * 2 ** 20, boot: longMode(), ...options });
}

/** Bytes of a hexadecimal string with spaces. */
export function hex(text: string): number[] {
  return (text.match(/[0-9a-f]{2}/gi) ?? []).map((byte) => Number.parseInt(byte, 16));
}

/** CPUID reports VMX, but nobody brings VMCALL: an instruction that is there and not modelled. */
export const vmcallMissing = definePlugin({
  name: 'vmcall-missing',
  version: '1.0.0',
  apiVersion: 1,
  cpuid: [{ leaf: 1, register: 'ecx', mask: 1 << 5 }],
});
export const VMCALL = '0f 01 c1';
