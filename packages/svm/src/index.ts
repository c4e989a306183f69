export const name = '@retrovisor/svm';
