// The registers of a 16550A, named as its data sheet names them, and what a port with these registers would interrupt for.

/** Interrupt Enable Register. */
export const IER = { ERBFI: 0x01, ETBEI: 0x02, ELSI: 0x04, EDSSI: 0x08, defined: 0x0f } as const;
/** FIFO Control Register. Bits 2:1 act once; `kept` are those that last. */
export const FCR = { FIFO_ENABLE: 0x01, RCVR_FIFO_RESET: 0x02, kept: 0xc9 } as const;
/** Interrupt Identification Register. */
const IIR = { NONE: 0x01, FIFOS_ENABLED: 0xc0 } as const;
/** Line Control Register: WLS is the number of data bits less five. */
export const LCR = { WLS: 0x03, STB: 0x04, PEN: 0x08, DLAB: 0x80 } as const;
/** Modem Control Register. */
export const MCR = { DTR: 0x01, RTS: 0x02, OUT1: 0x04, OUT2: 0x08, LOOP: 0x10, defined: 0x1f } as const;
/** Line Status Register. `errors` are the conditions of a receiver line status interrupt, which reading clears. */
export const LSR = { DR: 0x01, OE: 0x02, PE: 0x04, FE: 0x08, BI: 0x10, THRE: 0x20, TEMT: 0x40, errors: 0x1e } as const;
/** Modem Status Register. `deltas` are the conditions of a modem status interrupt, which reading clears. */
export const MSR = {
  DCTS: 0x01,
  DDSR: 0x02,
  TERI: 0x04,
  DDCD: 0x08,
  CTS: 0x10,
  DSR: 0x20,
  RI: 0x40,
  DCD: 0x80,
  deltas: 0x0f,
} as const;

export const FIFO_BYTES = 16;
/** Frequency of the crystal on a PC's serial board. A bit lasts 16 times the divisor of its cycles. */
const CRYSTAL_HERTZ = 1_843_200;

/** One serial port: its registers, and the state behind them. */
export interface Uart {
  /** Divisor latch, 16 bits. */
  divisor: number;
  IER: number;
  FCR: number;
  LCR: number;
  MCR: number;
  LSR: number;
  MSR: number;
  SCR: number;
  /** Bytes that were received and not read, the oldest first: one at most while the FIFOs are disabled. */
  received: number[];
  /** The transmitter became empty, and neither an IIR read nor a write to THR has answered that yet. */
  transmitterEmptied: boolean;
  /** When bytes below the trigger level will have waited for too long, in cycles of virtual time. */
  timeoutAt: number | null;
  timedOut: boolean;
}

/** As firmware leaves a port that it has not used, with a terminal at the other end: the divisor is that of 9600 baud. */
export const UART_AT_RESET: Readonly<Uart> = {
  divisor: 0x0c,
  IER: 0,
  FCR: 0,
  LCR: 0,
  MCR: MCR.OUT2,
  LSR: LSR.THRE | LSR.TEMT,
  MSR: MSR.CTS | MSR.DSR | MSR.DCD,
  SCR: 0,
  received: [],
  transmitterEmptied: false,
  timeoutAt: null,
  timedOut: false,
};

/** How many bytes raise the interrupt, by bits 7:6 of FCR. */
const TRIGGER_LEVELS = [1, 4, 8, 14] as const;

/** Bytes in the receiver at which it interrupts. */
export function triggerLevel({ FCR: fcr }: Uart): number {
  return (fcr & FCR.FIFO_ENABLE) === 0 ? 1 : (TRIGGER_LEVELS[fcr >> 6] ?? 1);
}

/** A condition that interrupts. */
interface Cause {
  /** Bits 3:0 of IIR. */
  readonly identification: number;
  /** The bit of IER that lets it. */
  readonly enable: number;
  readonly isPending: (uart: Uart) => boolean;
}

const TRANSMITTER_EMPTY = 0x02;

/** Highest priority first. */
const CAUSES: readonly Cause[] = [
  { identification: 0x06, enable: IER.ELSI, isPending: (uart) => (uart.LSR & LSR.errors) !== 0 },
  { identification: 0x04, enable: IER.ERBFI, isPending: (uart) => uart.received.length >= triggerLevel(uart) },
  { identification: 0x0c, enable: IER.ERBFI, isPending: (uart) => uart.timedOut },
  { identification: TRANSMITTER_EMPTY, enable: IER.ETBEI, isPending: (uart) => uart.transmitterEmptied },
  { identification: 0x00, enable: IER.EDSSI, isPending: (uart) => (uart.MSR & MSR.deltas) !== 0 },
];

/** What IIR shows. */
export function interruptIdentification(uart: Uart): number {
  const cause = CAUSES.find(({ enable, isPending }) => (uart.IER & enable) !== 0 && isPending(uart));
  const enabled = (uart.FCR & FCR.FIFO_ENABLE) === 0 ? 0 : IIR.FIFOS_ENABLED;
  return enabled | (cause?.identification ?? IIR.NONE);
}

/** Whether a value of IIR reports the transmitter: reading that is an answer to it. */
export const reportsTransmitter = (iir: number): boolean => (iir & 0x0f) === TRANSMITTER_EMPTY;

/**
 * Whether the port drives its interrupt line. On a PC the pin passes a gate that OUT2 opens; in loopback mode the pin of
 * OUT2 is inactive, whatever the register holds.
 */
export function drivesLine(uart: Uart): boolean {
  return (uart.MCR & (MCR.OUT2 | MCR.LOOP)) === MCR.OUT2 && (interruptIdentification(uart) & IIR.NONE) === 0;
}

/** How long four characters take at the port's rate, in a clock's cycles: bytes that wait longer raise a timeout. */
export function fourCharacters(uart: Uart, cyclesPerSecond: number): number {
  const parity = (uart.LCR & LCR.PEN) === 0 ? 0 : 1;
  const stopBits = (uart.LCR & LCR.STB) === 0 ? 1 : 2;
  const bits = 1 + 5 + (uart.LCR & LCR.WLS) + parity + stopBits;
  const divisor = uart.divisor === 0 ? 0x1_0000 : uart.divisor; // a counter that starts at 0 counts round
  return Math.ceil((4 * bits * 16 * divisor * cyclesPerSecond) / CRYSTAL_HERTZ);
}

/** What the modem's pins say in MSR: in loopback mode they are the outputs of MCR. */
export function modemInputs({ MCR: mcr }: Uart): number {
  if ((mcr & MCR.LOOP) === 0) return MSR.CTS | MSR.DSR | MSR.DCD;
  const wires = [
    [MCR.RTS, MSR.CTS],
    [MCR.DTR, MSR.DSR],
    [MCR.OUT1, MSR.RI],
    [MCR.OUT2, MSR.DCD],
  ] as const;
  return wires.reduce((inputs, [output, input]) => inputs | ((mcr & output) === 0 ? 0 : input), 0);
}
