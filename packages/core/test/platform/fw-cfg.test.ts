import { describe, expect, it } from 'vitest';
import { multibootImage } from '../../src/boot/multiboot.js';
import { createMachine } from '../../src/machine/machine.js';
import { fwCfg } from '../../src/platform/fw-cfg.js';
import { bootedMachine } from '../support/booted-machine.js';

describe('fw_cfg', () => {
  const files = { 'opt/answer': Uint8Array.of(4, 2) };
  const machine = bootedMachine({ processors: 3, plugins: [fwCfg({ commandLine: 'kernel x', files })] });
  const cpu = machine.processor(0);
  const read = (selector: number, bytes: number) => {
    cpu.outw(0x510, BigInt(selector));
    return Array.from({ length: bytes }, () => Number((cpu.inb(0x511) as { value: bigint }).value));
  };
  const text = (bytes: readonly number[]) => String.fromCharCode(...bytes);

  it('tells its signature, the size of memory and the number of processors', () => {
    expect([text(read(0, 4)), read(1, 4), read(5, 3)]).toEqual(['QEMU', [3, 0, 0, 0], [3, 0, 0]]);
    expect(read(3, 8)).toEqual([0, 0, 0, 1, 0, 0, 0, 0]);
  });

  it('has the command line and files by name', () => {
    expect([read(0x14, 4), text(read(0x15, 9))]).toEqual([[9, 0, 0, 0], 'kernel x\0']);
    const directory = read(0x19, 68);
    expect(directory.slice(0, 10)).toEqual([0, 0, 0, 1, 0, 0, 0, 2, 0, 0x20]);
    expect(text(directory.slice(12, 22))).toBe('opt/answer');
    expect(read(0x20, 3)).toEqual([4, 2, 0]);
  });

  it('is zeros past the end, and for what nobody knows', () => {
    expect([read(0, 6).slice(4), read(0x3000, 2), read(0x8003, 2)]).toEqual([
      [0, 0],
      [0, 0],
      [0, 0],
    ]);
    expect(read(0x4005, 1)).toEqual([3]);
  });

  it('gives several bytes at once to a wide read', () => {
    cpu.outw(0x510, 0n);
    expect(cpu.inw(0x511)).toMatchObject({ value: 0x4551n });
    expect(cpu.inw(0x511)).toMatchObject({ value: 0x554dn });
  });

  it('numbers files by name, in whatever order they were given', () => {
    const namesOf = (order: readonly string[]) => {
      const given = Object.fromEntries(order.map((name) => [name, new TextEncoder().encode(name)]));
      const other = bootedMachine({ plugins: [fwCfg({ files: given })] }).processor(0);
      other.outw(0x510, 0x20n);
      return String.fromCharCode(Number((other.inb(0x511) as { value: bigint }).value));
    };
    expect(namesOf(['b', 'a'])).toBe('a');
    expect(namesOf(['a', 'b'])).toBe('a');
  });

  it('refuses a name that the directory has no room for', () => {
    expect(() => fwCfg({ files: { ['x'.repeat(56)]: new Uint8Array(0) } })).toThrow('1 to 55');
    expect(() => fwCfg({ files: { '': new Uint8Array(0) } })).toThrow('0 bytes');
  });

  it('tells where a kernel and its module were loaded', () => {
    const [magic, address] = [0x1bad_b002, 0x20_0000];
    const words = Uint32Array.of(magic, 0x1_0000, -(magic + 0x1_0000), address, address, 0, address + 64, address + 32);
    const boot = multibootImage({
      bytes: new Uint8Array(words.buffer),
      fileName: 'kernel',
      modules: [{ text: 'module', bytes: new Uint8Array(5) }],
      memoryBytes: 2 ** 24,
    });
    const other = createMachine({ profile: 'intel-server', memory: 2 ** 24, plugins: [fwCfg()], boot }).processor(0);
    const number = (selector: number) => {
      other.outw(0x510, BigInt(selector));
      return Number((other.inl(0x511) as { value: bigint }).value);
    };
    expect([7, 8, 16, 11].map(number)).toEqual([address, 64, address + 32, 5]);
    expect(number(10) % 4096).toBe(0);
  });
});

describe('DMA of fw_cfg', () => {
  const [DESCRIPTOR, BUFFER] = [0x20_0000, 0x30_0000];
  const [ERROR, READ, SKIP, SELECT, WRITE] = [1, 2, 4, 8, 0x10];
  const swapped = (value: number) => BigInt(new DataView(Uint32Array.of(value).buffer).getUint32(0));

  function machine() {
    const made = bootedMachine({ plugins: [fwCfg({ commandLine: 'kernel x' })] });
    const cpu = made.processor(0);
    const ask = (control: number, length: number, address = BigInt(BUFFER), descriptor = DESCRIPTOR) => {
      const bytes = new Uint8Array(16);
      const view = new DataView(bytes.buffer);
      view.setUint32(0, control);
      view.setUint32(4, length);
      view.setBigUint64(8, address);
      made.writeMemory(descriptor, bytes);
      cpu.outl(0x514, 0n);
      cpu.outl(0x518, swapped(descriptor));
      return new DataView(made.readMemory(descriptor, 4).buffer).getUint32(0);
    };
    return { made, cpu, ask, text: (length: number) => String.fromCharCode(...made.readMemory(BUFFER, length)) };
  }

  it('says that it is there', () => {
    const { cpu } = machine();
    expect([cpu.inl(0x514), cpu.inl(0x518)]).toMatchObject([{ value: 0x554d_4551n }, { value: 0x4746_4320n }]);
  });

  it('selects, reads and skips, and fills with zeros what is past the end', () => {
    const { made, ask, text } = machine();
    made.writeMemory(BUFFER, new Uint8Array(16).fill(0x2e));
    expect(ask((0x15 << 16) | SELECT | READ, 6)).toBe(0);
    expect(text(8)).toBe('kernel..');
    expect([ask(SKIP, 1), ask(READ, 4)]).toEqual([0, 0]);
    expect(text(6)).toBe('x\0\0\0el');
  });

  it('and the byte stream go on from each other', () => {
    const { cpu, ask, text } = machine();
    cpu.outw(0x510, 0x15n);
    cpu.inb(0x511);
    ask(READ, 2);
    expect([text(2), cpu.inb(0x511)]).toMatchObject(['er', { value: BigInt('n'.charCodeAt(0)) }]);
  });

  it.each([
    ['a write', WRITE, 4, BigInt(BUFFER)],
    ['a buffer that ends outside memory', READ, 0x200_0000, BigInt(BUFFER)],
    ['a buffer above every address', READ, 4, 2n ** 63n],
  ])('reports an error for %s', (_name, control, length, address) => {
    expect(machine().ask(control, length, address)).toBe(ERROR);
  });

  it('ignores a descriptor where no memory is', () => {
    const { cpu } = machine();
    cpu.outl(0x514, 0xffff_ffffn);
    expect(cpu.outl(0x518, 0xffff_ffffn)).toEqual({ kind: 'completed' });
  });

  it('drops code that was decoded where it writes', () => {
    const { made, ask } = machine();
    const cpu = made.processor(0);
    made.writeMemory(BUFFER, Uint8Array.from([0x90, 0xeb, 0xfd]));
    cpu.set('RIP', BigInt(BUFFER));
    cpu.step(10);
    ask((0x15 << 16) | SELECT | READ, 1); // 'k': 6BH, imul
    cpu.set('RIP', BigInt(BUFFER));
    cpu.step();
    expect(cpu.read('RIP')).not.toBe(BigInt(BUFFER + 1));
  });
});
