/** How many records each turn of the committer writes. */
export const RECORDS = 5;
