// Named bits of a register, so that `cpu.CR4.VMXE` reads as the manual writes it and a bit of another register does not
// compile.
import type { Citation } from '../manual/citation.js';

/** The bits of one register: name to bit number, exactly as printed. */
export interface RegisterBits<Name extends string = string, Bit extends string = string> {
  readonly register: Name;
  readonly manual: Citation;
  readonly bits: Readonly<Record<Bit, number>>;
}

/** Declares the bits of a register. */
export function defineRegisterBits<const Name extends string, const Bits extends Readonly<Record<string, number>>>(
  register: Name,
  manual: Citation,
  bits: Bits,
): RegisterBits<Name, Extract<keyof Bits, string>> {
  return Object.freeze({ register, manual, bits: Object.freeze(bits) });
}

/** What the semantics see of a register with named bits. */
export type BitView<Bit extends string> = { [bit in Bit]: boolean } & { value: bigint };

/** A place where a register's two 32-bit halves are read and written. */
export interface BitHome {
  /** The register file of the processor as 32-bit words, low half first. */
  readonly words: Int32Array;
  /** Called after a write with the slot written. */
  written(slot: number): void;
}

/** Makes the class of views of one register: a property a bit, and `value`. */
export function bitViewClass<Bit extends string>(
  { bits }: RegisterBits<string, Bit>,
  slot: number,
): new (
  home: BitHome,
) => BitView<Bit> {
  class View {
    readonly home: BitHome;
    constructor(home: BitHome) {
      this.home = home;
    }
    get value(): bigint {
      const { words } = this.home;
      return (BigInt((words[slot * 2 + 1] ?? 0) >>> 0) << 32n) | BigInt((words[slot * 2] ?? 0) >>> 0);
    }
    set value(value: bigint) {
      this.home.words[slot * 2] = Number(BigInt.asIntN(32, value));
      this.home.words[slot * 2 + 1] = Number(BigInt.asIntN(32, value >> 32n));
      this.home.written(slot);
    }
  }
  for (const [name, bit] of Object.entries<number>(bits)) {
    const index = slot * 2 + (bit >> 5);
    const mask = 1 << (bit & 31);
    Object.defineProperty(View.prototype, name, {
      get(this: View) {
        return ((this.home.words[index] ?? 0) & mask) !== 0;
      },
      set(this: View, set: boolean) {
        const word = this.home.words[index] ?? 0;
        this.home.words[index] = set ? word | mask : word & ~mask;
        this.home.written(slot);
      },
    });
  }
  return View as unknown as new (
    home: BitHome,
  ) => BitView<Bit>;
}
