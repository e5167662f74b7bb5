package scenegraph

import (
	"slices"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for _, tt := range []struct{ caption, want string }{
		// Objects, attributes and relations.
		{"A young girl standing on top of a tennis court.", // the example of SPICE's paper; standing goes into the relation
			"(court) (court, tennis) (girl) (girl, stand on top of, court) (girl, young)"},
		{"Two brown dogs are running in the grass", "(dog) (dog, brown) (dog, run in, grass) (dog, two) (grass)"},
		{"Three women wearing glasses", "(glass) (woman) (woman, three) (woman, wear, glass)"},
		{"a red, white and blue bus", "(bus) (bus, blue) (bus, red) (bus, white)"},
		{"several children's toys", "(child) (child, have, toy) (child, several) (toy)"},
		{"a man's friend's dog", "(dog) (friend) (friend, have, dog) (man) (man, have, friend)"},
		{"a hitched horse", "(horse) (horse, hitch)"},
		{"a stop sign next to a wooden fire truck", "(sign) (sign, next to, truck) (sign, stop) (truck) (truck, fire) (truck, wooden)"},
		{"a couple of zebras", "(zebra) (zebra, couple)"},
		{"a group of zebras", "(group) (group, of, zebra) (zebra)"},

		// One meaning, one graph: finite verbs, participles and passives.
		{"A man rides a horse.", "(horse) (man) (man, ride, horse)"},
		{"A man riding a horse.", "(horse) (man) (man, ride, horse)"},
		{"a man is riding a horse", "(horse) (man) (man, ride, horse)"},
		{"a man who rides a horse", "(horse) (man) (man, ride, horse)"},
		{"a man and a woman ride horses", "(horse) (man) (man, ride, horse) (woman) (woman, ride, horse)"},
		{"a horse is ridden by a man", "(horse) (man) (man, ride, horse)"},
		{"A bus is parked on a street", "(bus) (bus, park on, street) (street)"},
		{"A bus parked on a street", "(bus) (bus, park on, street) (street)"},
		{"a parked bus", "(bus) (bus, parked)"},
		{"a man smiles", "(man) (man, smile)"},
		{"a man is smiling", "(man) (man, smile)"},
		{"a man smiling", "(man) (man, smile)"},
		{"a cat sits and eats", "(cat) (cat, eat) (cat, sit)"},
		{"a man trying to hit a ball", "(ball) (man) (man, hit, ball) (man, try)"},
		{"a boy picks up a bag", "(bag) (boy) (boy, pick up, bag)"},
		{"a boy lying down", "(boy) (boy, lie down)"},

		// Copulas and expletives.
		{"the cat is black", "(cat) (cat, black)"},
		{"the cat is on the table", "(cat) (cat, on, table) (table)"},
		{"The man is a chef", "(chef) (man) (man, chef)"},
		{"there is a cat on the table", "(cat) (cat, on, table) (table)"},
		{"a bowl full of fruit", "(bowl) (bowl, full) (bowl, of, fruit) (fruit)"},

		// What a preposition, a participle, a conjunction belongs to.
		{"a man holding a plate of food", "(food) (man) (man, hold, plate) (plate) (plate, of, food)"},
		{"a man riding a wave on a surfboard", "(man) (man, ride, wave) (man, ride on, surfboard) (surfboard) (wave)"},
		{"a cat on a chair in a room", "(cat) (cat, on, chair) (chair) (chair, in, room) (room)"},
		{"a man in a suit holding a bat", "(bat) (man) (man, hold, bat) (man, in, suit) (suit)"},
		{"a plate topped with rice", "(plate) (plate, top with, rice) (rice)"},
		{"a bathroom with a sink, a toilet and a tub", "(bathroom) (bathroom, with, sink) (bathroom, with, toilet) (bathroom, with, tub) (sink) (toilet) (tub)"},
		{"a man is on a bench and a dog is on the floor", "(bench) (dog) (dog, on, floor) (floor) (man) (man, on, bench)"},
		{"a man smiles while riding a bike", "(bike) (man) (man, ride, bike) (man, smile)"},

		// Pronouns.
		{"a boy brushing his teeth", "(boy) (boy, brush, tooth) (boy, have, tooth) (tooth)"},
		{"a bed with a dog on it", "(bed) (bed, with, dog) (dog) (dog, on, bed)"},
		{"This is a dog. It's asleep", "(dog)"}, // a pronoun stands for a noun of its own sentence

		// Words that are two parts of speech.
		{"a brick building", "(building) (building, brick)"},
		{"a man building a wall", "(man) (man, build, wall) (wall)"},
		{"a sleeping dog", "(dog) (dog, sleeping)"},
		{"a dining room and a parking lot", "(lot) (lot, parking) (room) (room, dining)"},
		{"a snow covered hill", "(hill) (hill, covered) (hill, snow)"},
		{"a building with palm trees", "(building) (building, with, tree) (tree) (tree, palm)"},
		{"people walk dogs", "(dog) (people) (people, walk, dog)"},
		{"a very nice looking car", "(car) (car, looking) (car, nice)"},
		{"a toilet next to a trash can", "(can) (can, trash) (toilet) (toilet, next to, can)"},
		{"an orange and an orange cat", "(cat) (cat, orange) (orange)"},
		{"7 dogs - # we see 2 cats…", "(cat) (cat, 2) (dog) (dog, 7)"},
		{"blorps wugging a zib", "(blorp) (blorp, wugg, zib) (zib)"},
		{"", ""},
		{"?!", ""},
	} {
		if got := list(NewLexicon().Parse(tt.caption)); got != tt.want {
			t.Errorf("%q:\n got %s\nwant %s", tt.caption, got, tt.want)
		}
	}
}

func TestParseReadsTheBeginning(t *testing.T) {
	l := NewLexicon()
	begin := strings.Repeat("white dog ", MaxWords/2)
	got, want := list(l.Parse(begin+strings.Repeat("tall cat ", 100_000))), list(l.Parse(begin))
	if got != want || !strings.Contains(got, "(dog, white)") {
		t.Errorf("got %.200s, want %.200s", got, want)
	}
}

func list(tuples []Tuple) string {
	var texts []string
	for _, tuple := range tuples {
		texts = append(texts, tuple.String())
	}
	return strings.Join(texts, " ")
}

func TestSplit(t *testing.T) {
	for caption, want := range map[string]string{
		"A man's hat, isn't it?":        "a man 's hat , is n't it ?",
		"the dogs' close-up (at 3.5 m)": "the dogs 's close-up ( at 3.5 m )",
		"'quoted' & cannot…":            "quoted and can not …",
		"it’s\tred/white.":              "it 's red / white .",
		"o'clock ''":                    "o 'clock",
	} {
		if got := strings.Join(split(caption), " "); got != want {
			t.Errorf("%q: got %q, want %q", caption, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"a man's hat, isn't it? there's to be and and of", "two of them who being 's", "\xff\xfe ' '' -", "the the , , to to been",
	} {
		f.Add(seed)
	}
	lexicon := NewLexicon()
	f.Fuzz(func(t *testing.T, caption string) {
		tuples := lexicon.Parse(caption)
		objects := map[string]bool{}
		for _, tuple := range tuples {
			if len(tuple) < 1 || len(tuple) > 3 || slices.Contains(tuple, "") {
				t.Fatalf("%q: tuple %q", caption, tuple)
			}
			if len(tuple) == 1 {
				objects[tuple[0]] = true
			}
		}
		for _, tuple := range tuples {
			if !objects[tuple[0]] || len(tuple) == 3 && !objects[tuple[2]] {
				t.Fatalf("%q: %v is about what is no object of %v", caption, tuple, tuples)
			}
		}
		g := lexicon.Graph(tuples)
		if f1 := F1(g, g); len(tuples) > 0 && f1 != 1 {
			t.Fatalf("%q: F1 with itself is %v", caption, f1)
		}
	})
}
