// Package evaluate scores captions over a set of images: each metric over the corpus
// with a bootstrap interval, and two systems against each other on the same images.
package evaluate
