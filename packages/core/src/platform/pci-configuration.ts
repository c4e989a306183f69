// The configuration headers of the PCI functions of a small PC: a host bridge (Intel 440FX) and an ISA bridge (PIIX3). Their
// registers are kept as far as they can be written. Left out: what they would do (shadowing of the BIOS, interrupt routing).

/** One register of 32 bits. */
interface ConfigurationRegister {
  readonly offset: number;
  readonly value: number;
  /** Bits that software can change. */
  readonly writable?: number;
}

/** A function that answers. */
export interface PciFunction {
  readonly device: number;
  readonly name: string;
  /** Registers that are not 0, ascending. */
  readonly registers: readonly ConfigurationRegister[];
}

/** Of bus 0; each is function 0 of its device. */
export const PCI_FUNCTIONS: readonly PciFunction[] = [
  {
    device: 0,
    name: 'host bridge',
    registers: [
      { offset: 0x00, value: 0x1237_8086 },
      { offset: 0x04, value: 0x0280_0006, writable: 0x0000_0140 }, // SERR# and parity error enable
      { offset: 0x08, value: 0x0600_0002 }, // class: host bridge
      { offset: 0x58, value: 0, writable: 0x3333_0000 }, // PAM0 to PAM1 beside DRAM control
      { offset: 0x5c, value: 0, writable: 0x3333_3333 }, // PAM3 to PAM6
      { offset: 0x70, value: 0x0002_0000, writable: 0x0058_0000 }, // SMRAM
    ],
  },
  {
    device: 1,
    name: 'ISA bridge',
    registers: [
      { offset: 0x00, value: 0x7000_8086 },
      { offset: 0x04, value: 0x0200_0007, writable: 0x0000_0108 },
      { offset: 0x08, value: 0x0601_0000 }, // class: ISA bridge
      { offset: 0x4c, value: 0x0003_004d, writable: 0xffff_00ff },
      { offset: 0x60, value: 0x8080_8080, writable: 0x8f8f_8f8f }, // PIRQRC: bit 7 is "not routed"
    ],
  },
];

/** A register of a function of bus 0, if that function is there. */
export function findRegister(
  device: number,
  offset: number,
): { readonly fresh: number; readonly writable: number } | undefined {
  const found = PCI_FUNCTIONS.find((each) => each.device === device);
  if (found === undefined) return undefined;
  const register = found.registers.find((each) => each.offset === offset);
  return { fresh: register?.value ?? 0, writable: register?.writable ?? 0 };
}
