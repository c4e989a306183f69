// `--fw-cfg name=N,file=F` and `--fw-cfg name=N,string=S`, as QEMU writes its -fw_cfg: files that a guest finds by name.
import type { FwCfgOptions } from '@retrovisor/core';
import { UsageError } from '../input-error.js';
import { readInput } from './input-file.js';

/** Reads the files of all options. @throws UsageError FW_CFG, InputError for a file that cannot be read */
export function fwCfgFiles(options: readonly string[] = []): Pick<FwCfgOptions, 'files'> {
  const files = new Map<string, Uint8Array>();
  for (const option of options) {
    const { name, contents } = parseFile(option);
    if (files.has(name)) refuse(option, `${name} is there twice`);
    files.set(name, contents);
  }
  return files.size === 0 ? {} : { files: Object.fromEntries(files) };
}

/** Everything after `file=` or `string=` is the path or the text, commas too. */
function parseFile(option: string): { readonly name: string; readonly contents: Uint8Array } {
  const [, name = '', kind = '', value = ''] =
    /^(?:name=)?([^,=]+),(file|string)=(.*)$/s.exec(option) ??
    refuse(option, 'name=N,file=F or name=N,string=S is expected');
  return { name, contents: kind === 'file' ? readInput(value) : new TextEncoder().encode(value) };
}

function refuse(option: string, why: string): never {
  throw new UsageError('FW_CFG', { option }, `--fw-cfg ${option}: ${why}`);
}
