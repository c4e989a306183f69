// Lists of processors as Linux prints them in /sys/devices/system/node/node0/cpulist: `0-12,52-64`.

const LIST = /^$|^\d{1,4}(-\d{1,4})?(,\d{1,4}(-\d{1,4})?)*$/;

/** What is accepted, for messages. */
export const PROCESSOR_LIST_FORM = 'a list of processors such as "0-12,52-64", or an empty text';

/** Whether a text is such a list and no range in it runs backwards. */
export function isProcessorList(text: string): boolean {
  return LIST.test(text) && bounds(text).every(([first, last]) => first <= last);
}

/** The processors of a list, in its order. */
export function processorsOf(text: string): readonly number[] {
  return bounds(text).flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, index) => first + index));
}

/** The list of processors that follow each other: `0-3`, or empty if there are none. */
export function listOfRun(first: number, count: number): string {
  if (count === 0) return '';
  return count === 1 ? `${first}` : `${first}-${first + count - 1}`;
}

function bounds(text: string): readonly (readonly [first: number, last: number])[] {
  if (text === '') return [];
  return text.split(',').map((part) => {
    const [first = 0, last = first] = part.split('-').map(Number);
    return [first, last];
  });
}
