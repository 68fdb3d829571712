export { squared } from './squared.ts'
