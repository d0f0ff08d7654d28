// mdBook takes every link that ends in `.md` for one to a page of the book, and turns it into `.html`. Documents that
// stand outside of docs/guide are no pages, but files two doors away: their links are turned back.
for (const link of document.querySelectorAll('main a[href^="../"]')) {
  const href = link.getAttribute("href");
  link.setAttribute("href", href.replace(/\.html(?=#|$)/, ".md"));
}
