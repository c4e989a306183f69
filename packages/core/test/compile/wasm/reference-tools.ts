// The WebAssembly Binary Toolkit as the judge of what is emitted: its validator, its disassembler, its assembler.
import wabt from 'wabt';

const toolkit = await wabt();

/** Throws if a module is not valid, with the reason. */
export function validate(module: Uint8Array): void {
  const read = toolkit.readWasm(module, { readDebugNames: false });
  try {
    read.validate();
  } finally {
    read.destroy();
  }
}

/** The lines of a module as the disassembler prints them, without indentation, comments and the frame of the module. */
export function disassembled(module: Uint8Array): readonly string[] {
  const read = toolkit.readWasm(module, { readDebugNames: false });
  try {
    const text = read.toText({ foldExprs: false });
    return text
      .replaceAll(/;; label = @\d+|\(;@?-?\d+;\)/g, '')
      .split('\n')
      .map((line) => line.trim().replaceAll(/ +/g, ' '));
  } finally {
    read.destroy();
  }
}

/** The bytes of a module in the text format. */
export function assembled(text: string): Uint8Array {
  const parsed = toolkit.parseWat('test.wat', text);
  try {
    return parsed.toBinary({}).buffer;
  } finally {
    parsed.destroy();
  }
}
