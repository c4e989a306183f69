// What is shown of a compiled block is what runs: the text assembles to a valid module, and each way out that is listed
// leaves the state at the position that the listing says.
import { describe, expect, it } from 'vitest';
import {
  bootSectorImage,
  type CompiledListing,
  createMachine,
  type Machine,
  type MachineOptions,
  rawImage,
  staleTlb,
} from '../../src/index.js';
import { assembled, validate } from './wasm/reference-tools.js';

const LOAD = 0x10_0000;
const ENTRY = BigInt(LOAD);

// MOV EAX, [RBX]; ADD [RBX+8], EAX; DEC ECX; JNZ back; CPUID; JMP back
const LOOP = [0x8b, 0x03, 0x01, 0x43, 0x08, 0xff, 0xc9, 0x75, 0xf7, 0x0f, 0xa2, 0xeb, 0xf3];
const AT = { add: ENTRY + 2n, dec: ENTRY + 5n, jnz: ENTRY + 7n, cpuid: ENTRY + 9n, jmp: ENTRY + 11n };

function ran(options: Partial<MachineOptions> = {}, code: readonly number[] = LOOP, steps = 500): Machine {
  const boot = rawImage({ bytes: Uint8Array.from(code), mode: 'long', load: LOAD });
  const machine = createMachine({ profile: 'intel-server', boot, compile: 0, ...options });
  machine.processor(0).set('RBX', 0x20_0000n);
  machine.processor(0).set('RCX', 10n);
  machine.run({ maxSteps: steps });
  return machine as Machine;
}

const textOf = ({ head, lines }: CompiledListing): string =>
  [...head, ...lines.map(({ depth, text }) => `${' '.repeat(depth)}${text}`), ')'].join('\n');

describe('listCompiled', () => {
  it('lists the instructions of a block with what they do and who does it', () => {
    const { instructions, ...listing } = ran().listCompiled(ENTRY);
    expect(listing).toMatchObject({ address: ENTRY, codeWidth: 64, user: false, isCompiled: true, steps: 4 });
    expect(listing.region.entry).toBe(ENTRY);
    expect(listing.region.blocks[0]).toEqual({ address: ENTRY, steps: 4 });
    expect(instructions.map(({ address, text, effect, path }) => [address, text, effect, path])).toEqual([
      [ENTRY, 'mov eax, [rbx]', 'EAX := dword DS:[RBX]', 'inline or reference'],
      [
        AT.add,
        'add [rbx+8], eax',
        'v1 = add(RBX, 8); v2 = add(dword DS:[v1], EAX); dword DS:[v1] := v2; flags := add(dword DS:[v1], EAX) of v2',
        'inline or reference',
      ],
      [AT.dec, 'dec ecx', 'v1 = sub(ECX, 1); ECX := v1; flags := dec(ECX, 1) of v1', 'inline'],
      [AT.jnz, `jne 0x${ENTRY.toString(16)}`, `RIP := 0x${ENTRY.toString(16)} if condition NE`, 'inline'],
    ]);
    expect(Buffer.from(instructions[1]?.bytes ?? []).toString('hex')).toBe('014308');
  });

  it('prints a function that assembles to a valid module', () => {
    const imported = (name: string): string =>
      `(import "machine" "${name}" (func $${name} (param i32 i32) (result i32)))`;
    const memory = '(import "machine" "memory" (memory 1 1))';
    const module = ['(module', memory, imported('plain'), imported('settled'), textOf(ran().listCompiled(ENTRY)), ')'];
    expect(() => validate(assembled(module.join('\n')))).not.toThrow();
  });

  it('divides all lines into prologue, parts of blocks, and epilogue', () => {
    const { lines } = ran().listCompiled(ENTRY);
    expect(lines[0]?.part).toBe('prologue');
    expect(lines.at(-1)).toMatchObject({ part: 'epilogue', text: 'local.get $steps' });
    const budget = lines.filter(({ part, block }) => part === 'budget' && block === ENTRY).map(({ text }) => text);
    expect(budget.slice(0, 3)).toEqual(['local.get $steps', 'i32.const 4', 'i32.lt_s']);
    const add = lines.filter(({ instruction }) => instruction === AT.add);
    expect(add.find(({ text }) => text.startsWith('i32.store align'))?.comment).toBe('memory of the guest');
    expect(add.filter(({ part }) => part === 'slow path').map(({ text }) => text)).toContain('call $plain');
  });

  it('lists the ways out with RIP and the steps that are done', () => {
    const { exits } = ran().listCompiled(ENTRY);
    expect(exits).toEqual([
      { instruction: undefined, why: 'budget', rip: ENTRY, steps: 0 },
      { instruction: ENTRY, why: 'reference', rip: AT.add, steps: 1 },
      { instruction: AT.add, why: 'reference', rip: AT.dec, steps: 2 },
      { instruction: AT.jnz, why: 'stay', rip: ENTRY, steps: 4 },
      { instruction: AT.jnz, why: 'leave', rip: AT.cpuid, steps: 4 },
    ]);
  });

  it('is right about the ways out: the machine stands there after so many steps', () => {
    for (const { rip, steps, why } of ran().listCompiled(ENTRY).exits) {
      const machine = ran({}, LOOP, 400 * 4);
      while (machine.readRegister(0, 'RIP') !== ENTRY) machine.step(0);
      if (why === 'leave') machine.processor(0).set('RCX', 1n);
      machine.step(0, steps);
      expect(machine.readRegister(0, 'RIP'), why).toBe(rip);
    }
  });

  it('finds the block by any of its instructions', () => {
    expect(ran().listCompiled(AT.dec).address).toBe(ENTRY);
  });

  it('lists a block that is not hot as it would be compiled: the same code', () => {
    // Hot when all of it was executed once: a region takes in what is known then.
    const [compiled, cold] = [ran({ compile: 20 }), ran({ compile: 1_000_000 })].map((machine) =>
      machine.listCompiled(ENTRY),
    );
    expect(cold).toMatchObject({ isCompiled: false, threshold: 1_000_000 });
    expect(cold?.lines.map(({ text }) => text)).toEqual(compiled?.lines.map(({ text }) => text));
  });

  it('says why there is nothing to list', () => {
    expect(() => ran().listCompiled(0x30_0000n)).toThrow(
      expect.objectContaining({ code: 'CODE_NEVER_EXECUTED', details: { address: 0x30_0000n } }),
    );
    const repInsb = [0xf3, 0x6c, 0xeb, 0xfc]; // and JMP back
    expect(() => ran({}, repInsb).listCompiled(ENTRY)).toThrow(
      expect.objectContaining({ code: 'CODE_NEVER_COMPILED', message: expect.stringContaining('INSB') }),
    );
    expect(() => ran({ compile: false }).listCompiled(ENTRY)).toThrow(
      expect.objectContaining({ code: 'NOTHING_COMPILED', message: expect.stringContaining('must not be generated') }),
    );
    expect(() => ran({ plugins: [staleTlb] }).listCompiled(ENTRY)).toThrow(
      expect.objectContaining({ code: 'NOTHING_COMPILED', message: expect.stringContaining('TLB is modelled') }),
    );
  });

  it('refuses 16-bit code', () => {
    const sector = new Uint8Array(512);
    sector.set([0x40, 0xeb, 0xfd]); // INC AX; JMP back
    sector.set([0x55, 0xaa], 510);
    const machine = createMachine({ profile: 'intel-server', boot: bootSectorImage(sector) });
    machine.run({ maxSteps: 1000 });
    expect(() => machine.listCompiled(0x7c00n)).toThrow(
      expect.objectContaining({ code: 'CODE_NEVER_COMPILED', message: expect.stringContaining('16-bit') }),
    );
  });
});
