struct Wine {}
