// The file index of docs/reading-guide.md: what each source file says of itself in its first sentence, and the sections
// that it cites. The other direction, from a section to the files that cite it, follows from the same.
import { basename } from 'node:path';
import { packageSources, type SourceFile } from '../support/source-tree.js';
import type { Parts } from './generated-documents.js';
import { code, table } from './markdown.js';

type Manual = 'sdm' | 'apm';

const CITATION = /\b(sdm|apm)\(\s*(['"])((?:\\.|(?!\2).)+)\2/g;
const DOCSTRING = /\/\*[\s\S]*?\*\//g;
const TITLE_TABLES = ['packages/core/src/manual/sdm.ts', 'packages/core/src/manual/apm.ts'];

/** The parts of the reading guide. */
export function sourceParts(): Parts {
  const files = packageSources().toSorted((one, other) => compare(one.path, other.path));
  const tables = ['core', 'vmx', 'svm', 'numa', 'cli'].map(
    (name) => [`files-of-${name}`, fileTable(files, name)] as const,
  );
  return {
    ...Object.fromEntries(tables),
    'sections-of-sdm': sectionTable(files, 'sdm'),
    'sections-of-apm': sectionTable(files, 'apm'),
  };
}

/** What the opening comments say is left out, file by file. */
export function leftOutPart(): string {
  const rows = packageSources()
    .toSorted((one, other) => compare(one.path, other.path))
    .flatMap((file) => {
      const left = /\bLeft out\b.*?\.(?= [A-Z]|$)/.exec(openingComment(file))?.[0];
      return left === undefined
        ? []
        : [[link(file.path, shortName(file.path)), capitalized(left.replace(/^Left out(?: because [^:]+)?: ?/, ''))]];
    });
  return table(['File', 'Leaves out'], rows);
}

function openingComment({ text }: SourceFile): string {
  const lines = text.split('\n');
  const length = lines.findIndex((line) => !/^\/\/ \S/.test(line)); // a list or a second paragraph is not read
  return lines
    .slice(0, length)
    .map((line) => line.slice('// '.length))
    .join(' ');
}

function firstSentence(file: SourceFile): string {
  const comment = openingComment(file).replace(/^One flat table: /, '');
  if (comment === '') return basename(file.path) === 'index.ts' ? 'The public API.' : '';
  return capitalized(/^.+?\.(?= [A-Z]|$)/.exec(comment)?.[0] ?? comment.replace(/:$/, '.'));
}

function fileTable(files: readonly SourceFile[], name: string): string {
  const rows = files
    .filter((file) => file.package === name)
    .map((file) => [link(file.path, file.path.replace(`packages/${name}/src/`, '')), firstSentence(file)]);
  return table(['File', 'What it says of itself'], rows);
}

function sectionTable(files: readonly SourceFile[], manual: Manual): string {
  const places = new Map<string, Set<string>>();
  for (const file of files) {
    for (const title of titlesCitedBy(file, manual)) places.set(title, (places.get(title) ?? new Set()).add(file.path));
  }
  const rows = [...places].toSorted(([one], [other]) => compare(one, other));
  return table(
    ['Section', 'Files'],
    rows.map(([title, paths]) => [title, [...paths].map((path) => link(path, shortName(path))).join(', ')]),
  );
}

function titlesCitedBy({ path, text }: SourceFile, manual: Manual): readonly string[] {
  if (TITLE_TABLES.includes(path)) return [];
  const citations = text.replaceAll(DOCSTRING, '').matchAll(CITATION);
  return [...citations].flatMap(([, cited, , title = '']) =>
    cited === manual ? [title.replaceAll(/\\(.)/g, '$1')] : [],
  );
}

const compare = (one: string, other: string): number => (one < other ? -1 : 1);
const capitalized = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
const link = (path: string, text: string): string => `[${code(text)}](../${path})`;
const shortName = (path: string): string => path.replace('packages/', '').replace('/src/', '/');
