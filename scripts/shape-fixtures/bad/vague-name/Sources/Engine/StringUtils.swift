enum Text {}
