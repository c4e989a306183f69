// Tables and lists in Markdown.

type Cell = string | number;

/** A table; cells may contain anything. */
export function table(columns: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const line = (cells: readonly Cell[]) => `| ${cells.map(escaped).join(' | ')} |`;
  return [line(columns), `|${columns.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}

function escaped(value: Cell): string {
  return String(value).replaceAll('|', '\\|').replaceAll('\n', ' ');
}

/** Words in lines of up to 120 columns. */
export function wrapped(words: readonly string[]): string {
  const lines = [''];
  for (const word of words) {
    const line = lines.at(-1) ?? '';
    if (line !== '' && line.length + word.length >= 120) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.join('\n');
}

export const code = (text: string): string => `\`${text}\``;

export const hex = (value: number, digits = 1): string => `${value.toString(16).toUpperCase().padStart(digits, '0')}H`;

/** Bit numbers of 32 bits as the manuals print them: `31:24, 7, 3:0`. */
export function bitRanges(mask: number): string {
  const ranges: string[] = [];
  for (let bit = 31; bit >= 0; bit--) {
    if (((mask >>> bit) & 1) === 0) continue;
    const high = bit;
    while (bit > 0 && ((mask >>> (bit - 1)) & 1) === 1) bit--;
    ranges.push(high === bit ? `${bit}` : `${high}:${bit}`);
  }
  return ranges.join(', ');
}
