package convert

// FullStops lets tests look for those of GPT-2's own vocabulary.
var FullStops = fullStops
