export { type Wanted, merged, parseList } from "./list.ts";
export { isList, loadList, readyLists } from "./ready.ts";
