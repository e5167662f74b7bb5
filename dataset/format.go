package dataset

// Format is how a file holds captions.
type Format string

// The formats.
const (
	// COCO is COCO's annotations, an object with "images" and "annotations", and
	// nocaps', whose images have a domain.
	COCO Format = "coco"
	// Karpathy is Andrej Karpathy's dataset_coco.json, dataset_flickr8k.json and
	// dataset_flickr30k.json, which fix the usual splits.
	Karpathy Format = "karpathy"
	// List is a JSON array with an object for each image or caption: COCO's results
	// {"image_id", "caption"}, MAGIC's {"image_name", "captions", "prediction"},
	// what cutline caption writes, ClipCap's train_caption.json.
	List Format = "list"
	// Map is a JSON object from names to a caption or a list of captions, as
	// CLIPScore takes them, or from systems to such objects.
	Map Format = "map"
	// JSONL is an object like List's a line.
	JSONL Format = "jsonl"
	// Flickr is Flickr's token files: NAME.jpg#N, a tab, the caption.
	Flickr Format = "flickr"
	// FlickrCSV is Kaggle's results.csv of Flickr30k: NAME.jpg| N| caption.
	FlickrCSV Format = "flickr-csv"
	// Conceptual is Conceptual Captions: a caption, a tab, the photo's address. It
	// knows no quotes and has no heading.
	Conceptual Format = "conceptual"
	// Shards is a webdataset tar archive, or a folder of them: the files of a
	// sample share their name up to its first dot, one is the photo, and .txt or
	// .json holds the captions.
	Shards Format = "shards"
	// Sidecars is a folder of photos, photo.jpg beside photo.txt with a caption a
	// line.
	Sidecars Format = "sidecars"
)

// formats lists the formats for messages.
func formats() []Format {
	return []Format{COCO, Karpathy, List, Map, JSONL, Flickr, FlickrCSV, Conceptual, Shards, Sidecars}
}
