// One line a step: position, processor, RIP, bytes, instruction, changed registers, and what went wrong.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMachine, rawImage } from '@retrovisor/core';
import { expect, it } from 'vitest';
import { InstructionTrace } from '../../src/guest/instruction-trace.js';

it('instructions are traced as the machine runs, each once', () => {
  const folder = mkdtempSync(join(tmpdir(), 'retrovisor-trace-'));
  try {
    const file = join(folder, 'trace.txt');
    // MOV AL, 5; XOR EAX, EAX; UD2
    const boot = rawImage({ bytes: Uint8Array.of(0xb0, 5, 0x31, 0xc0, 0x0f, 0x0b), mode: 'long', load: 0x10_0000 });
    const machine = createMachine({ profile: 'intel-server', boot });
    const trace = new InstructionTrace(machine, file);
    machine.run({ maxSteps: 1 });
    trace.follow();
    machine.run();
    trace.close();
    expect(readFileSync(file, 'utf8').trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^ +0 0 0x100000 +b005 +mov al, 5 +RAX=0x5$/),
      expect.stringMatching(/^ +1 0 0x100002 +31c0 +xor eax, eax +RAX=0x0 RFLAGS=0x46$/),
      expect.stringMatching(/^ +2 0 0x100004 +0f0b +ud2 +→ shutdown after #UD.* \(core\.ud\.always\)$/),
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
