import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/error.js';
import { defineMachine } from '../../src/plugin/host.js';
import { parseLocation } from '../../src/timeline/location.js';

const definition = defineMachine({ profile: 'intel-server', processors: 2 });

describe('a location', () => {
  it.each([
    ['RAX', { kind: 'register', processor: 0, register: 'RAX', bit: undefined }],
    ['CS.base', { kind: 'register', processor: 0, register: 'CS.base', bit: undefined }],
    ['CR4.VMXE', { kind: 'register', processor: 0, register: 'CR4', bit: 13 }],
    ['processor/1/IA32_EFER.LMA', { kind: 'register', processor: 1, register: 'IA32_EFER', bit: 10 }],
    ['IA32_PAT.3', { kind: 'register', processor: 0, register: 'IA32_PAT', bit: 3 }],
    ['XMM3', { kind: 'register', processor: 0, register: 'XMM3', bit: undefined }],
    ['XMM3.127', { kind: 'register', processor: 0, register: 'XMM3', bit: 127 }],
    ['processor/1/ST2', { kind: 'stack', processor: 1, index: 2 }],
    ['MM5', { kind: 'register', processor: 0, register: 'R5', lowBits: 64 }],
    ['[0x1000]', { kind: 'memory', address: 0x1000, bytes: 1 }],
    ['[0x1000+8]', { kind: 'memory', address: 0x1000, bytes: 8 }],
    ['[4096+0x10]', { kind: 'memory', address: 4096, bytes: 16 }],
  ])('%s names a place', (text, location) => {
    expect(parseLocation(definition, text)).toEqual({ ...location, text });
  });

  it.each([
    'RAXX',
    'CR4.NOPE',
    'processor/2/RAX',
    '[x]',
    '[0x1000+0]',
    '[0x10000000000000+1]',
    'slice/none/x',
    'vmcs:Guest RIP',
    'IA32_PAT.64',
    'XMM3.128',
    'XMM16',
    'ST8',
    '',
  ])('%s is refused with what is accepted', (text) => {
    expect(() => parseLocation(definition, text)).toThrow(UsageError);
    expect(() => parseLocation(definition, text)).toThrow(/examples are RAX/);
  });
});
