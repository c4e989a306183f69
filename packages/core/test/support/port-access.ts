// IN and OUT as a guest executes them, one byte each, and a machine whose interrupt lines are written down.

import { rawImage } from '../../src/boot/boot-image.js';
import type { Machine } from '../../src/machine/machine.js';
import { definePlugin, type Plugin } from '../../src/plugin/define.js';
import { hex, machineWith } from './booted-machine.js';

/** Bit 20 is 0, so that the code is there as well while the A20 gate is closed. */
const CODE = 0x20_0000;
/** mov edx, ecx; out dx, al; jmp back;    mov edx, ecx; in al, dx; jmp back */
const ACCESSES = hex('89 ca ee eb fb 89 ca ec eb fb');

/** A machine for `input` and `output`. */
export function machineWithPorts(...plugins: readonly Plugin[]): Machine {
  return machineWith([], { plugins, boot: rawImage({ bytes: Uint8Array.from(ACCESSES), mode: 'long', load: CODE }) });
}

/** OUT of a byte. */
export function output(machine: Machine, port: number, byte: number): void {
  access(machine, CODE, port, byte);
}

/** IN of a byte. */
export function input(machine: Machine, port: number): number {
  access(machine, CODE + 5, port, 0);
  return Number(machine.readRegister(0, 'RAX') & 0xffn);
}

function access(machine: Machine, code: number, port: number, byte: number): void {
  const cpu = machine.processor(0);
  cpu.set('RIP', BigInt(code));
  cpu.set('RCX', BigInt(port));
  cpu.set('RAX', BigInt(byte));
  cpu.step(2);
}

/** Writes down each change of an interrupt line: `+4` for line 4 going high, `-4` for low. */
export function lineRecorder(): { readonly plugin: Plugin; readonly taken: () => string } {
  let changes: string[] = [];
  return {
    plugin: definePlugin({
      name: 'line-recorder',
      version: '1.0.0',
      apiVersion: 1,
      interruptController: { lineChanged: (_draft, line, high) => void changes.push(`${high ? '+' : '-'}${line}`) },
    }),
    taken: () => {
      const text = changes.join(' ');
      changes = [];
      return text;
    },
  };
}
