// Bytes to the text that people read, in Intel syntax as the manuals print it.
import { Decoder, DecoderOptions, Formatter, FormatterSyntax } from 'iced-x86';
import type { CodeWidth } from './decode.js';

let formatter: Formatter | undefined;

function intelFormatter(): Formatter {
  if (formatter === undefined) {
    formatter = new Formatter(FormatterSyntax.Intel);
    formatter.hexPrefix = '0x';
    formatter.hexSuffix = '';
    formatter.uppercaseHex = false;
    formatter.spaceAfterOperandSeparator = true;
    formatter.branchLeadingZeros = false;
    formatter.showBranchSize = false;
  }
  return formatter;
}

/** A disassembled instruction. */
export interface Disassembled {
  readonly text: string;
  readonly length: number;
}

/** The first instruction of some bytes; `(bad)` and length 1 if they are none. */
export function disassemble(bytes: Uint8Array, codeWidth: CodeWidth, address: bigint): Disassembled {
  const decoder = new Decoder(codeWidth, bytes, DecoderOptions.None);
  decoder.ip = address;
  const instruction = decoder.decode();
  try {
    return instruction.isInvalid
      ? { text: '(bad)', length: 1 }
      : { text: intelFormatter().format(instruction), length: instruction.length };
  } finally {
    instruction.free();
    decoder.free();
  }
}
