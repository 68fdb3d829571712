/**
 * Pictures of what the library found, as SVG text and as PNG files. Drawn by Observable Plot, an optional part that is
 * loaded when the first picture is asked for.
 *
 * @packageDocumentation
 * @module cvxnn/plots
 */
export { confusionPlot } from './confusion.ts'
export { type ConvergencePlotOptions, convergencePlot, type Reading } from './convergence.ts'
export { crossValidationPlot } from './cross-validation.ts'
export type { FigureOptions } from './figure.ts'
export { type FilterPlotOptions, type Filters, filterPlot } from './filters.ts'
export { type Line, type LinePlotOptions, linePlot } from './lines.ts'
export { networkPlot } from './network.ts'
export type { NetworkPlotOptions } from './neurons.ts'
export { type PathPlotOptions, type PathPoint, type PathScores, pathPlot, pathPoint } from './path.ts'
export { type PngOptions, toPng } from './png.ts'
export { type PredictionPlotOptions, type Predictions, predictionPlot } from './predictions.ts'
export { type ResidualPlotOptions, residualPlot } from './residuals.ts'
