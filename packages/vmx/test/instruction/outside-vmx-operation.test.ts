import { createMachine, rawImage } from '@retrovisor/core';
import { describe, expect, it } from 'vitest';
import { vmx } from '../../src/plugin.js';

describe('outside VMX operation', () => {
  it.each([
    ['VMCALL', [0x0f, 0x01, 0xc1]],
    ['VMLAUNCH', [0x0f, 0x01, 0xc2]],
    ['VMRESUME', [0x0f, 0x01, 0xc3]],
    ['VMFUNC', [0x0f, 0x01, 0xd4]],
  ])('%s is #UD', (_, code) => {
    const boot = rawImage({ bytes: Uint8Array.from(code), mode: 'long', load: 0x10_0000 });
    const machine = createMachine({ profile: 'intel-server', memory: 2 ** 24, plugins: [vmx], boot });
    // There is no IDT behind it.
    const outcome = machine.processor(0).step() as { readonly chain?: readonly { readonly vector: string }[] };
    expect(outcome.chain?.[0]?.vector).toBe('#UD');
  });
});
