import { readFile } from 'node:fs/promises'
import { basename, extname } from 'node:path'
import { type Command, Option } from 'commander'
import { featureNames } from '../../data/schema.ts'
import { loadModel } from '../../estimators/load-model.ts'
import { type FloatType, toOnnx } from '../../interchange/index.ts'
import { type FileExtras, readModelFile, requireWritable, writeWhole } from '../files.ts'
import { pairs, print } from '../terminal.ts'

interface Flags {
  out?: string
  type: FloatType
  json?: boolean
}

/** cvxnn export: a model in, a file for other software out. */
export function addExport(program: Command): void {
  program
    .command('export')
    .description('write a model as ONNX, for any runtime that reads it')
    .argument('<model.json>', 'model file of fit or fit-images, or a network that toJSON wrote')
    .option('-o, --out <model.onnx>', 'where to (default: beside the model, ending in .onnx)')
    .addOption(
      new Option('--type <type>', 'of the numbers; float32 halves the file')
        .choices(['float64', 'float32'])
        .default('float64'),
    )
    .option('--json', 'one JSON object on stdout instead of text')
    .addHelpText(
      'after',
      `
The input X has a column per feature, in the order of "columns" in the metadata, categories one-hot; the output is Y for
numbers, label and scores for classes.

Examples:
  $ cvxnn export model.json --out model.onnx
  $ cvxnn export digits.json --type float32`,
    )
    .action(async (model: string, flags: Flags) => {
      await exportModel(model, flags)
    })
}

async function exportModel(path: string, flags: Flags): Promise<void> {
  const out = flags.out ?? `${path.slice(0, path.length - extname(path).length)}.onnx`
  await requireWritable(out)
  const { model, columns, target } = await anyModel(path)
  const bytes = toOnnx(model, {
    type: flags.type,
    metadata: {
      ...(columns && { 'cvxnn.columns': JSON.stringify(columns) }),
      ...(target && { 'cvxnn.target': JSON.stringify(target) }),
    },
  })
  await writeWhole(out, bytes)
  const outputs = 'classes' in model ? ['label', 'scores'] : ['Y']
  if (flags.json) print(JSON.stringify({ model: path, out, bytes: bytes.length, type: flags.type, columns, outputs }))
  else
    for (const line of pairs([
      ['model', basename(path)],
      ['written', `${out}, ${bytes.length} bytes`],
      ['input', `X, ${flags.type}${columns ? `: ${columns.join(', ')}` : ''}`],
      ['outputs', outputs.join(', ')],
    ]))
      print(line)
}

type AnyModel = ReturnType<typeof loadModel>

/** A model with, where `cvxnn fit` wrote it, the columns that its rows have. */
async function anyModel(
  path: string,
): Promise<{ model: AnyModel; columns?: readonly string[]; target?: readonly string[] }> {
  const text = await readFile(path, 'utf8').catch((error: Error) => {
    throw new Error(`cannot read ${path} (${error.message}); pass a model file.`, { cause: error })
  })
  let model: AnyModel
  try {
    model = loadModel(text)
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`, { cause: error })
  }
  const { schema } = JSON.parse(text) as Partial<FileExtras>
  if (schema === undefined) return { model }
  const { estimator, extras } = await readModelFile(path)
  return { model: estimator, columns: featureNames(extras.schema), target: extras.schema.target }
}
