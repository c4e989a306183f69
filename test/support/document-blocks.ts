// The fenced code blocks of a Markdown document, each with the output that the next block promises.

/** One block of commands or code. */
export interface DocumentBlock {
  readonly document: string;
  /** Of its first line in the document. */
  readonly line: number;
  readonly language: 'sh' | 'ts';
  readonly code: string;
  /** The `text` block that follows with nothing but empty lines between. */
  readonly output: string | undefined;
}

interface Fence {
  readonly language: string;
  readonly code: string;
  readonly line: number;
  readonly start: number;
  readonly end: number;
}

/** Languages that a document may use: what is not run must be a `text` block, or indented. */
export const LANGUAGES = ['sh', 'ts', 'text'];

/** The languages of all fenced blocks. */
export function languagesIn(markdown: string): readonly string[] {
  return fencesIn(markdown).map(({ language }) => language);
}

/** Every `sh` and `ts` block, in order. */
export function blocksIn(document: string, markdown: string): readonly DocumentBlock[] {
  const fences = fencesIn(markdown);
  return fences.flatMap(({ language, code, line, end }, index) => {
    if (language !== 'sh' && language !== 'ts') return [];
    const next = fences[index + 1];
    const follows = next?.language === 'text' && markdown.slice(end, next.start).trim() === '';
    return [{ document, line, language, code, output: follows ? next.code : undefined }];
  });
}

function fencesIn(markdown: string): readonly Fence[] {
  return [...markdown.matchAll(/^```([a-z]*)\n([\s\S]*?)^```$/gm)].map((match) => ({
    language: match[1] ?? '',
    code: (match[2] ?? '').trimEnd(),
    line: markdown.slice(0, match.index).split('\n').length,
    start: match.index,
    end: match.index + match[0].length,
  }));
}

/** The commands of a `sh` block: one a line, a backslash continues it. */
export function commandsOf({ code }: DocumentBlock): readonly string[] {
  return code
    .replaceAll(/\\\n\s*/g, ' ')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
}
