/** Points of a stroke, through which a smooth curve is drawn: x to the right and y down, the glyph filling [0, 1]². */
export type Stroke = readonly (readonly [x: number, y: number])[];

/** One way to write a digit. A stroke whose last point is its first is drawn closed and smooth. */
export type GlyphVariant = readonly Stroke[];

/** Digit → ways to write it → strokes → points `x y` in hundredths. */
const drawings: readonly (readonly (readonly string[])[])[] = [
  [
    ["50 0  22 14  10 50  22 86  50 100  78 86  90 50  78 14  50 0"],
    ["62 2  28 16  14 55  26 90  52 100  80 80  86 42  74 12  50 6"],
  ],
  [
    ["52 0  50 50  48 100"],
    ["26 24  42 14  56 0", "56 0  55 50  54 100"],
    ["28 22  42 13  54 0", "54 0  54 50  54 100", "26 100  54 100  82 100"],
  ],
  [
    ["14 26  28 6  56 0  80 16  72 46  42 76  10 99", "10 99  50 96  90 98"],
    ["14 22  38 0  74 10  74 40  48 72  22 96  8 88  22 76  56 92  94 94"],
  ],
  [
    ["14 14  42 0  76 10  74 36  38 47", "38 47  76 54  88 76  62 97  32 99  8 86"],
    ["14 2  48 3  82 2", "82 2  62 20  42 40", "42 40  76 46  88 70  68 95  36 99  10 88"],
  ],
  [
    ["20 0  12 30  10 56", "10 56  50 57  94 52", "74 6  72 50  66 100"],
    ["68 0  38 34  8 64", "8 64  50 64  94 63", "68 0  68 50  66 100"],
  ],
  [
    ["82 2  54 3  26 2", "26 2  23 22  20 44", "20 44  50 36  80 50  84 76  58 97  12 92"],
    ["24 6  20 26  22 42  56 42  82 60  76 88  46 100  12 90", "24 6  54 4  86 0"],
  ],
  [
    ["70 0  40 20  20 52  18 82  46 100  78 88  80 64  52 52  22 70"],
    ["42 0  26 30  18 66  32 96  66 96  80 74  60 56  22 66"],
  ],
  [
    ["10 6  50 5  88 2", "88 2  62 44  42 100"],
    ["10 5  50 5  90 3", "90 3  60 46  38 100", "32 52  56 51  82 50"],
    ["10 24  11 14  12 4", "12 4  50 5  88 3", "88 3  66 42  54 100"],
  ],
  [
    ["74 12  50 0  24 12  32 36  70 60  80 84  50 100  20 84  30 60  68 36  74 12"],
    ["50 47  24 36  24 10  50 0  76 10  76 36  50 47", "50 47  18 60  18 90  50 100  82 90  82 60  50 47"],
  ],
  [
    ["80 20  52 0  20 14  20 42  50 52  78 30", "80 16  78 58  70 100"],
    ["80 22  54 0  22 12  20 40  48 52  78 34", "80 20  82 60  66 92  26 98"],
  ],
];

/** Digit → the ways to write it. */
export const glyphVariants: readonly (readonly GlyphVariant[])[] = drawings.map((digit) =>
  digit.map((variant) => variant.map(parseStroke)),
);

function parseStroke(points: string): Stroke {
  return points.split("  ").map((point): [number, number] => {
    const [x, y] = point.split(" ");
    return [Number(x) / 100, Number(y) / 100];
  });
}
