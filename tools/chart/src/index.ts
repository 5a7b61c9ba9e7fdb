// Charts: which images their values name, and how a release writes new ones in.

export { type Chart, findCharts, readChart, valuesFile } from "./chart.ts";
export { editChartFile } from "./chart-file.ts";
export { type NewImage, editValues } from "./edit.ts";
export { type ValuesImage, valuesImages } from "./values.ts";
