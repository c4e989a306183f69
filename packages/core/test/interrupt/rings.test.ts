// A guest that goes between levels 0 and 3 through gates and IRET prints what QEMU's TCG prints.
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { createMachine, debugConsole, rawImage } from '../../src/index.js';

const guest = (name: string): Buffer => readFileSync(new URL(`../support/guest/${name}`, import.meta.url));
/** Behind the multiboot header. */
const ENTRY = 0x10_0020;

it('goes across rings as QEMU does', () => {
  const boot = rawImage({
    bytes: Uint8Array.from(guest('rings.bin')),
    mode: 'protected',
    load: 0x10_0000,
    entry: ENTRY,
  });
  const plugins = [debugConsole];
  const machine = createMachine({ profile: 'intel-server', memory: 16 * 2 ** 20, boot, plugins });
  let printed = '';
  machine.emissions$.subscribe((emission) => {
    if (emission.type === 'console/byteWritten') printed += String.fromCharCode(Number(emission['byte']));
  });
  expect(machine.run({ maxSteps: 100_000 }).stop).toMatchObject({ reason: 'exit' });
  expect(printed).toBe(guest('rings.expected.txt').toString());
});
