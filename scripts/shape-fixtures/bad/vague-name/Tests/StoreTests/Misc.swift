struct Rest {}
