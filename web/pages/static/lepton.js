// What the page does beyond HTML: it is complete without this.
