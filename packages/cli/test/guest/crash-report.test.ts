// The report of a guest that crashed: how it came there, where it stands, and what each exception demanded.
import { createMachine, type Faulted, rawImage } from '@retrovisor/core';
import { describe, expect, it } from 'vitest';
import { crashDocument, crashReport, crashText } from '../../src/guest/crash-report.js';
import { PLAIN } from '../../src/output/colour.js';

/** PUSH 42H; a jump over a byte that is no instruction; UD2; NOP. */
const CODE = [0x6a, 0x42, 0xeb, 0x01, 0x06, 0x0f, 0x0b, 0x90];

function crashed(code: readonly number[]) {
  const boot = rawImage({ bytes: Uint8Array.from(code), mode: 'long', load: 0x10_0000 });
  const machine = createMachine({ profile: 'intel-server', boot });
  const { stop } = machine.run();
  if (stop.reason !== 'shutdown') throw new Error(`it ended with ${stop.reason}`);
  const { chain } = stop.outcome as unknown as { readonly chain: readonly Faulted[] };
  return crashReport(machine, stop.processor, undefined, chain);
}

describe('a crash report', () => {
  const report = crashed(CODE);

  it('has the instructions that were executed, not those that lie before RIP', () => {
    expect(report.history.map(({ text }) => text)).toEqual(['push 0x42', 'jmp 0x100005', 'ud2']);
    expect(report.code.slice(0, 2).map(({ text }) => text)).toEqual(['ud2', 'nop']);
    expect(report.stack[0]).toMatchObject({ value: 0x42n, width: 8 });
  });

  it('tells the chain of exceptions with the rule of each', () => {
    const text = crashText(report, PLAIN);
    expect(text).toMatch(/first +#UD +core\.ud\.always/);
    expect(text).toMatch(/while it was delivered +#GP\(0x33\) +core\.idt\.limit +The gate of the vector must lie/);
    expect(text).toMatch(/that is +#DF\(0\) +core\.double-fault/);
    expect(text).toMatch(/then +shutdown/);
    const { chain } = crashDocument(report) as { readonly chain: readonly { readonly explain: string | null }[] };
    expect(chain.every(({ explain }) => typeof explain === 'string')).toBe(true);
  });

  it('says so where RIP or RSP lead nowhere', () => {
    // XOR ESP, ESP; NOT RSP makes RSP no canonical address after SHL by 1; JMP to RSP
    const lost = crashed([0x48, 0xc7, 0xc4, 0, 0, 0, 0x80, 0x48, 0xc1, 0xe4, 0x10, 0x50]);
    expect(crashText(lost, PLAIN)).toContain('no page is mapped at RSP');
  });
});
