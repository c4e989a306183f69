// The entry @retrovisor/core/node: traces in files. Re-exports only.
export { fileSink, fileSource, openTraceFile, recordToFile } from './node/trace-file.js';
