//! The few pieces of SVG and HTML that the page is made of. Colours and fonts are in the style
//! sheet, by class, so that they follow the theme.

/// Text as it is written between tags and in attributes.
pub(crate) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            // Control characters are not allowed in documents at all.
            letter if letter.is_control() => safe.push(' '),
            letter => safe.push(letter),
        }
    }
    safe
}

/// A picture that is being made.
#[derive(Debug)]
pub(crate) struct Svg {
    width: f64,
    height: f64,
    title: String,
    description: String,
    body: String,
    /// What coordinates begin at.
    origin: Point,
}

/// A point: to the right, and down.
pub(crate) type Point = (f64, f64);

impl Svg {
    /// The title and the description are for those who do not see the picture.
    pub(crate) fn new((width, height): Point, title: &str, description: &str) -> Svg {
        Svg {
            width,
            height,
            title: escaped(title),
            description: escaped(description),
            body: String::new(),
            origin: (0.0, 0.0),
        }
    }

    /// From here on, coordinates are counted from this point of the picture.
    pub(crate) fn move_to(&mut self, origin: Point) {
        self.origin = origin;
    }

    fn at(&self, (x, y): Point) -> Point {
        (self.origin.0 + x, self.origin.1 + y)
    }

    pub(crate) fn text(&mut self, class: &str, at: Point, text: &str) {
        let ((x, y), text) = (self.at(at), escaped(text));
        self.add(&format!(
            "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{text}</text>"
        ));
    }

    pub(crate) fn bar(&mut self, class: &str, at: Point, (width, height): Point) {
        let (x, y) = self.at(at);
        self.add(&format!(
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"/>"
        ));
    }

    pub(crate) fn line(&mut self, class: &str, from: Point, to: Point) {
        let ((x1, y1), (x2, y2)) = (self.at(from), self.at(to));
        self.add(&format!(
            "<line class=\"{class}\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>"
        ));
    }

    pub(crate) fn lines(&mut self, class: &str, points: &[Point]) {
        let points: Vec<_> = points
            .iter()
            .map(|point| self.at(*point))
            .map(|(x, y)| format!("{x:.1},{y:.1}"))
            .collect();
        let points = points.join(" ");
        self.add(&format!(
            "<polyline class=\"{class}\" points=\"{points}\"/>"
        ));
    }

    /// A small shape around a point; there are [`MARKS`] of them.
    pub(crate) fn mark(&mut self, class: &str, number: usize, at: Point) {
        let (x, y) = self.at(at);
        let path = MARKS[number % MARKS.len()];
        self.add(&format!(
            "<path class=\"{class}\" transform=\"translate({x:.1} {y:.1})\" d=\"{path}\"/>"
        ));
    }

    fn add(&mut self, element: &str) {
        self.body.push_str(element);
        self.body.push('\n');
    }

    /// The element. `id` is one that no other picture of the page has.
    pub(crate) fn finish(self, id: &str) -> String {
        self.element(id, "", "")
    }

    /// A file.
    pub(crate) fn finish_alone(self, style: &str) -> String {
        let (width, height) = (self.width, self.height);
        let attributes = format!(
            "xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" "
        );
        self.element("race", &attributes, &format!("<style>\n{style}</style>\n"))
    }

    fn element(self, id: &str, attributes: &str, style: &str) -> String {
        let Svg {
            width,
            height,
            title,
            description,
            body,
            ..
        } = self;
        format!(
            "<svg {attributes}viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" aria-labelledby=\"{id}-t {id}-d\">\n\
             <title id=\"{id}-t\">{title}</title>\n<desc id=\"{id}-d\">{description}</desc>\n{style}{body}</svg>\n",
        )
    }
}

/// Shapes that can be told apart without colours.
const MARKS: [&str; 8] = [
    "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z",
    "M-4 -4h8v8h-8z",
    "M0 -5l5 9h-10z",
    "M0 -5l5 5l-5 5l-5 -5z",
    "M0 5l5 -9h-10z",
    "M-4 -4l8 8M-4 4l8 -8",
    "M0 -5v10M-5 0h10",
    "M-5 -2h10v4h-10z",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_taken_for_a_tag() {
        assert_eq!(
            escaped("<script>\"a\" & 'b'\n</script>"),
            "&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39; &lt;/script&gt;"
        );
        assert_eq!(escaped("µs × 2"), "µs × 2");
    }

    #[test]
    fn a_picture_says_what_it_shows() {
        let mut svg = Svg::new((10.0, 20.0), "a < b", "\"c\"");
        svg.text("name", (1.0, 2.0), "<b>");
        let svg = svg.finish("p1");
        assert!(svg.contains("<title id=\"p1-t\">a &lt; b</title>"), "{svg}");
        assert!(
            svg.contains("<desc id=\"p1-d\">&quot;c&quot;</desc>"),
            "{svg}"
        );
        assert!(svg.contains("aria-labelledby=\"p1-t p1-d\""), "{svg}");
        assert!(svg.contains("&lt;b&gt;") && !svg.contains("<b>"), "{svg}");
    }
}
