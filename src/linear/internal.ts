/** What other folders of the house take from this one besides its index; not part of the package's interface. */
export { dot, norm as treeNorm, ravel, unevenVector, unravel } from "./vectors.ts";
