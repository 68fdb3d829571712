import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { readCsv, readIdx, readRows } from '../../src/data/index.ts'

const folder = process.env.CVXNN_DATA ?? '../shared/data'
const present = existsSync(join(folder, 'uci')) && existsSync(join(folder, 'mnist'))
if (!present)
  console.log(`no data sets at ${folder}: set CVXNN_DATA to a folder with uci/ and mnist/ to read them here`)

it.skipIf(!present)('the UCI and MNIST files are read as they are described', async () => {
  const iris = await readCsv(join(folder, 'uci/classification/iris.csv'), { target: 'y', task: 'classification' })
  expect([iris.X.rows, iris.X.columns, iris.y.columns]).toEqual([150, 4, 3])
  expect(iris.classes).toEqual(['0', '1', '2'])

  const adult = join(folder, 'uci/classification/adult.csv')
  const census = await readCsv(adult, { target: 'y', task: 'classification' })
  expect([census.X.rows, census.X.columns, census.y.columns]).toEqual([32561, 14, 1])
  expect((await readRows(adult, census.schema)).X).toEqual(census.X)

  const naval = await readCsv(join(folder, 'uci/regression/naval.csv'), { target: 'y' })
  expect([naval.X.rows, naval.X.columns, naval.task]).toEqual([11934, 16, 'regression'])
  expect(naval.constant.length).toBe(2)

  const images = await readIdx(join(folder, 'mnist/t10k-images-idx3-ubyte.gz'))
  expect(images.shape).toEqual([10000, 28, 28])
  const labels = await readIdx(join(folder, 'mnist/t10k-labels-idx1-ubyte.gz'))
  expect([labels.rows, labels.columns, ...labels.data.subarray(0, 5)]).toEqual([10000, 1, 7, 2, 1, 0, 4])
})
